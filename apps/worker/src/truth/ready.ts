/** Whether this worker takes traffic, and if not, why. */
import { Context, Effect, Layer } from "effect"

type Stage = "starting" | "listening" | "stopping"

const reasons: Record<Stage, ReadonlyArray<string>> = {
  starting: ["it is starting: the providers' subscriptions have not been looked at yet"],
  listening: [],
  stopping: ["it is being stopped"]
}

export class Readiness extends Context.Service<
  Readiness,
  {
    /** Why not; empty when it is ready, as far as this process is concerned. */
    readonly reasons: Effect.Effect<ReadonlyArray<string>>
    readonly listening: Effect.Effect<void>
    readonly stopping: Effect.Effect<void>
  }
>()("@stopline/worker/Readiness") {
  static readonly layer: Layer.Layer<Readiness> = Layer.sync(Readiness, () => {
    let stage: Stage = "starting"
    const become = (next: Stage) => Effect.sync(() => void (stage = next))
    return { reasons: Effect.sync(() => reasons[stage]), listening: become("listening"), stopping: become("stopping") }
  })
}
