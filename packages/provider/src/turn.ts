/**
 * The engine waits for one turn before each call of a port. An adapter that has
 * to send more than one request for a call, because the provider refused the
 * whole over a part, waits for another turn before each further one, so that
 * every request counts at the gate (L15). It knows no more of pacing than that.
 */
import { Context, Effect } from "effect"

export const NextTurn = Context.Reference<Effect.Effect<void>>("@stopline/provider/NextTurn", {
  defaultValue: () => Effect.void
})
