/**
 * Many who want the same done at once. The first is served at once and alone;
 * whoever comes meanwhile is served together, when that is over.
 */
import { type Array, Deferred, Effect, Queue, type Scope } from "effect"

export interface Crowd<A, B> {
  /** Waits until it was served. */
  readonly join: (item: A) => Effect.Effect<B>
  /** Somebody is being served. */
  readonly busy: () => boolean
}

/** @param serve answers each of those who are served together, in their order */
export const makeCrowd = Effect.fnUntraced(function* <A, B, R>(
  serve: (items: Array.NonEmptyReadonlyArray<A>) => Effect.Effect<ReadonlyArray<B>, never, R>
): Effect.fn.Return<Crowd<A, B>, never, Scope.Scope | R> {
  const waiting = yield* Queue.unbounded<{ readonly item: A; readonly answer: Deferred.Deferred<B> }>()
  let busy = false
  const next = Effect.gen(function* () {
    const [first, ...others] = yield* Queue.takeAll(waiting)
    busy = true
    const answers = yield* serve([first.item, ...others.map(({ item }) => item)])
    busy = false
    for (const [index, answer] of answers.entries()) {
      const served = [first, ...others][index]
      if (served !== undefined) yield* Deferred.succeed(served.answer, answer)
    }
  })
  yield* Effect.forkScoped(Effect.forever(next))
  const join = Effect.fnUntraced(function* (item: A) {
    const answer = yield* Deferred.make<B>()
    yield* Queue.offer(waiting, { item, answer })
    return yield* Deferred.await(answer)
  })
  return { join, busy: () => busy }
})
