/** Plays a scenario against the real engine, and says what did not come true. */
import { Effect, Schema, type Scope } from "effect"
import type { FreshDatabase } from "./database.ts"
import { openProcesses } from "./processes.ts"
import { Run } from "./run.ts"
import type { Scenario } from "./scenario.ts"
import { universeOf } from "./setting.ts"

/** A sentence of a scenario that is not so. */
export class Untrue extends Schema.TaggedError<Untrue>()("Untrue", {
  file: Schema.String,
  line: Schema.Finite,
  sentence: Schema.String,
  instead: Schema.String
}) {
  override get message(): string {
    return `${this.file}:${this.line}: "${this.sentence}" is not so: ${this.instead}`
  }
}

export const playScenario = Effect.fn("playScenario")(function* (
  database: FreshDatabase,
  { file, setting, steps }: Scenario
): Effect.fn.Return<void, Untrue, Scope.Scope> {
  const processes = yield* Effect.flatMap(database, openProcesses)
  yield* Effect.acquireUseRelease(
    Effect.promise(async () => {
      const run = new Run(processes, universeOf(setting), (adapter) => adapter)
      await run.open()
      return run
    }),
    (run) =>
      Effect.forEach(
        steps,
        ({ line, step, text: sentence }) =>
          step(run).pipe(
            Effect.andThen(Effect.suspend(() => kept(run))),
            Effect.mapError((instead) => new Untrue({ file, line, sentence, instead }))
          ),
        { discard: true }
      ),
    (run) => Effect.promise(() => run.close())
  )
}, Effect.scoped)

/** Whatever happens, no law may be broken on the way. */
const kept = (run: Run): Effect.Effect<void, string> =>
  run.broken.length === 0 ? Effect.void : Effect.fail(run.broken.map(({ law, what }) => `${law}: ${what}`).join("; "))
