/**
 * What the accounts of one credential share in a process: the login, and what was
 * learned about the limits. RingCentral counts both per user and app, and closes
 * the oldest session of a user who has more than "usually five".
 */
import { createHash } from "node:crypto"
import type { Gate } from "@stopline/provider"
import { Effect, Redacted, Scope } from "effect"
import type { ResolvedConfig } from "./config.ts"
import { type Limits, makeLimits, nothingLearned, ownGate } from "./limits.ts"
import { openSession, type Session } from "./session.ts"

export interface Credential {
  readonly session: Session
  readonly limits: Limits
}

/** The credentials in use: one of these for all accounts of a process. */
export type RingCentralCredentials = (config: ResolvedConfig) => Effect.Effect<Credential>

/**
 * Closing the scope ends every session. @param gate absent: each process counts
 * its requests alone, and fails where it would have to wait
 */
export const openRingCentralCredentials = Effect.fn("openRingCentralCredentials")(function* (
  gate: Gate = ownGate()
): Effect.fn.Return<RingCentralCredentials, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const known = new Map<string, Omit<Credential, "limits"> & { readonly learned: ReturnType<typeof nothingLearned> }>()
  return Effect.fnUntraced(function* (config) {
    const key = keyOf(config)
    const shared = known.get(key)
    const learned = shared?.learned ?? nothingLearned()
    const limits = makeLimits(config, learned, gate)
    if (shared !== undefined) return { session: shared.session, limits }
    const session = yield* Scope.provide(openSession(config, limits), scope)
    known.set(key, { session, learned })
    return { session, limits }
  })
})

/** Whoever has the same key may use the same token. It holds no secret. */
const keyOf = ({ clientId, clientSecret, jwt, server }: ResolvedConfig): string =>
  createHash("sha256")
    .update(JSON.stringify([server.origin, clientId, Redacted.value(clientSecret), Redacted.value(jwt)]))
    .digest("hex")
