/**
 * Laws of ending: whoever stops waiting takes the request along, and a closed
 * scope leaves nothing behind.
 */
import { Effect, Exit, Fiber, Scope } from "effect"
import { callOf, operations, personOf } from "../call.ts"
import type { Asked } from "../fake.ts"
import type { Bench, Law } from "../law.ts"
import { atRest, until } from "../rest.ts"

/** A call whose request has arrived, and is never answered. */
const stuck = Effect.fnUntraced(function* ({ fake }: Bench, adapter: Bench["adapter"], operation: Asked) {
  const call = yield* callOf(operation, adapter, fake, personOf(fake))
  yield* adapter.probe(fake.sender)
  yield* atRest(fake)
  yield* fake.fault(operation, { kind: "hang", applied: false })
  const fiber = yield* Effect.forkScoped(Effect.exit(call))
  yield* until(Effect.map(fake.inFlight, (count) => count > 0))
  return fiber
})

const interrupted = (operation: Asked): Law => ({
  name: "an interrupted call leaves no request running, and the adapter works on",
  part: operation,
  try: Effect.fnUntraced(function* (bench) {
    const { adapter, fake } = bench
    yield* Fiber.interrupt(yield* stuck(bench, adapter, operation))
    yield* atRest(fake)
    yield* adapter.probe(fake.sender)
  })
})

const closed = (operation: Asked): Law => ({
  name: "closing the scope ends the call, and leaves no request running",
  part: operation,
  try: Effect.fnUntraced(function* (bench) {
    const scope = yield* Scope.make()
    const adapter = yield* Scope.provide(bench.open(), scope)
    const fiber = yield* stuck(bench, adapter, operation)
    yield* Scope.close(scope, Exit.void)
    yield* Fiber.await(fiber)
    yield* atRest(bench.fake)
  })
})

export const endingLaws: ReadonlyArray<Law> = [...operations.map(interrupted), ...operations.map(closed)]
