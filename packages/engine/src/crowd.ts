/**
 * Many who want the same done at once. The first is served at once and alone;
 * whoever comes meanwhile is served together, when that is over.
 */
import { type Array, Context, Deferred, Effect, Exit, Option, Queue, type Scope, Tracer } from "effect"

export interface Crowd<A, B, E = never> {
  /** Waits until it was served. */
  readonly join: (item: A) => Effect.Effect<B, E>
}

interface Waiting<A, B, E> {
  readonly item: A
  readonly answer: Deferred.Deferred<B, E>
  readonly span: Option.Option<Tracer.AnySpan>
}

/**
 * What is done for several is part of the trace of who came first of them.
 *
 * @param serve answers each of those who are served together, in their order; its failure is everybody's
 */
export const makeCrowd = Effect.fnUntraced(function* <A, B, E, R>(
  serve: (items: Array.NonEmptyReadonlyArray<A>) => Effect.Effect<ReadonlyArray<B>, E, R>
): Effect.fn.Return<Crowd<A, B, E>, never, Scope.Scope | R> {
  const waiting = yield* Queue.unbounded<Waiting<A, B, E>>()
  const next = Effect.gen(function* () {
    const [first, ...others] = yield* Queue.takeAll(waiting)
    const together = serve([first.item, ...others.map(({ item }) => item)])
    const served = yield* Effect.exit(inTraceOf(first.span, together))
    if (Exit.isFailure(served)) {
      return yield* Effect.forEach([first, ...others], ({ answer }) => Deferred.failCause(answer, served.cause))
    }
    for (const [index, answer] of served.value.entries()) {
      const one = [first, ...others][index]
      if (one !== undefined) yield* Deferred.succeed(one.answer, answer)
    }
  })
  yield* Effect.forkScoped(Effect.forever(next))
  const join = Effect.fnUntraced(function* (item: A) {
    const answer = yield* Deferred.make<B, E>()
    const span = Context.getOption(yield* Effect.context(), Tracer.ParentSpan)
    yield* Queue.offer(waiting, { item, answer, span })
    return yield* Deferred.await(answer)
  })
  return { join }
})

const inTraceOf = <A, E, R>(
  span: Option.Option<Tracer.AnySpan>,
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Option.isNone(span)
    ? self
    : Effect.updateContext(self, (context: Context.Context<R>) => Context.add(context, Tracer.ParentSpan, span.value))
