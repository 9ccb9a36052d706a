/**
 * How an adapter keeps a limit that the engine cannot see from outside: a login
 * happens inside other operations, and draws on a limit of its own.
 */
import { Duration, type Effect } from "effect"
import type { LimitGroup } from "./adapter.ts"
import type { Throttled, Unavailable } from "./error.ts"

export interface Gate {
  /** Waits for a turn under this limit, or says when to come again. */
  readonly turn: (limit: LimitGroup) => Effect.Effect<void, Throttled | Unavailable>
  /** Nothing is to be sent under this limit for so long, by anybody who shares it. */
  readonly shut: (limit: LimitGroup, wait: Duration.Duration) => Effect.Effect<void>
}

/** An answer that names years must not keep an account's opt-outs back until somebody notices: after a day it is asked again. */
export const longestPenalty = Duration.days(1)
