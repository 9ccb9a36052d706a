/**
 * Lets an outcome happen: waits, asks, answers, or does not.
 */
import { Effect, Schema } from "effect"
import type { Post } from "./courier.ts"
import type { Outcome, WireResponse } from "./wire.ts"

/** The connection is to be cut. */
export class Dropped extends Schema.TaggedError<Dropped>()("Dropped", {}) {}

export const perform = (outcome: Outcome, post: Post): Effect.Effect<WireResponse, Dropped> => {
  switch (outcome._tag) {
    case "Answer":
      return Effect.succeed(outcome.response)
    case "Later":
      return Effect.andThen(Effect.sleep(outcome.after), perform(outcome.outcome, post))
    case "Drop":
      return Effect.fail(new Dropped())
    case "Hang":
      return Effect.never
    default:
      return Effect.flatMap(post(outcome.request), (answer) => perform(outcome.answered(answer), post))
  }
}
