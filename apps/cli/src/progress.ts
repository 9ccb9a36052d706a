/** Progress on standard error: bars on a terminal, a line now and then elsewhere. */
import { Progress, type Step } from "@stopline/engine"
import cliProgress from "cli-progress"
import { Clock, Effect, Layer } from "effect"

const nameOf = (step: Step) => (step.sender === undefined ? step.account : `${step.account}/${step.sender}`)

const verbs: Record<Step["kind"], string> = {
  walk: "reading",
  check: "checking",
  apply: "writing",
  import: "importing"
}

const onTerminal = Effect.gen(function* () {
  const bars = yield* Effect.acquireRelease(
    Effect.sync(
      () =>
        new cliProgress.MultiBar({
          stream: process.stderr,
          hideCursor: true,
          clearOnComplete: false,
          format: (_, params, payload: { label: string; unit: string; known: boolean }) => {
            const done = `${params.value.toLocaleString("en")}${payload.known ? ` of ${params.total.toLocaleString("en")}` : ""} ${payload.unit}`
            const filled = Math.round(params.progress * 30)
            const bar = payload.known ? `[${"=".repeat(filled)}${" ".repeat(30 - filled)}] ` : ""
            return `${payload.label} ${bar}${done}`
          }
        })
    ),
    (bars) => Effect.sync(() => bars.stop())
  )
  const shown = new Map<string, cliProgress.SingleBar>()
  return (step: Step) =>
    Effect.sync(() => {
      const key = `${step.kind} ${nameOf(step)}`
      const payload = { label: `${verbs[step.kind]} ${nameOf(step)}`, unit: step.unit, known: step.total !== undefined }
      const bar = shown.get(key) ?? bars.create(step.total ?? step.done, step.done, payload)
      shown.set(key, bar)
      bar.setTotal(step.total ?? step.done)
      bar.update(step.done, payload)
    })
})

const everyMs = 2000

const inLines = Effect.sync(() => {
  const last = new Map<string, number>()
  return (step: Step) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const key = `${step.kind} ${nameOf(step)}`
      const finished = step.total !== undefined && step.done >= step.total
      if (!finished && now - (last.get(key) ?? 0) < everyMs) return
      last.set(key, now)
      const total = step.total === undefined ? "" : ` of ${step.total}`
      process.stderr.write(`${verbs[step.kind]} ${nameOf(step)}: ${step.done}${total} ${step.unit}\n`)
    })
})

/** Shows the progress of whatever runs inside. */
export const progressLayer: Layer.Layer<never> = Layer.effect(
  Progress,
  Effect.suspend(() => (process.stderr.isTTY ? onTerminal : inLines))
)
