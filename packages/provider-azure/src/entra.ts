/**
 * The token that Event Grid sends where its subscription was made with an Entra
 * ID application (Event Grid guide: deliver events to Microsoft Entra protected
 * endpoints). It is Event Grid's if Entra ID signed it, for our application, and
 * gave its owner the role that stands for sending here.
 *
 * What may be put right by itself is never called forged, for Event Grid drops an
 * event for good over a 401: keys that cannot be had, a key that is newer than
 * the ones we have, and a token that was right at another time, since then it
 * may be our clock that is wrong.
 */
import { Duration, Effect } from "effect"
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from "jose"
import type { AzureEntra } from "./config.ts"
import type { Proof } from "./proof.ts"

/** The role's name is the one that Microsoft's own scripts give it. */
const defaultRole = "AzureEventGridSecureWebhookSubscriber"

/** Entra ID signs access tokens with it; a token that names another way to be checked is none of its own. */
const algorithms = ["RS256"]

const keysTimeout = Duration.seconds(5)
const keysAge = Duration.hours(1)
/** A token with a key that nobody knows makes us fetch the keys, but not more often than this. */
const keysPause = Duration.seconds(30)
/** By how much the clocks may differ. */
const leeway = Duration.minutes(5)

export const entraProver = (entra: AzureEntra): ((token: string, now: number) => Effect.Effect<Proof>) => {
  const { audiences, issuers, role = defaultRole } = entra
  const keys = createRemoteJWKSet(new URL(entra.keys), {
    timeoutDuration: Duration.toMillis(keysTimeout),
    cacheMaxAge: Duration.toMillis(keysAge),
    cooldownDuration: Duration.toMillis(keysPause)
  })
  return Effect.fn("Azure.proveToken")(function* (token: string, now: number) {
    return yield* Effect.tryPromise({
      try: () =>
        jwtVerify(token, keys, {
          algorithms,
          issuer: [...issuers],
          audience: [...audiences],
          currentDate: new Date(now),
          clockTolerance: Duration.toSeconds(leeway),
          requiredClaims: ["exp"]
        }),
      catch: because
    }).pipe(
      Effect.map(({ payload }): Proof => (hasRole(payload, role) ? { _tag: "Proven" } : forged(noRole))),
      Effect.catch((proof) => Effect.succeed(proof))
    )
  })
}

const noRole = "the Entra ID token does not hold the role of a sender of events"

const hasRole = ({ roles }: JWTPayload, role: string): boolean => Array.isArray(roles) && roles.includes(role)

const forged = (reason: string): Proof => ({ _tag: "Forged", reason })
const unclear = (reason: string): Proof => ({ _tag: "Unclear", reason })

const because = (cause: unknown): Proof => {
  if (cause instanceof errors.JWTExpired) return unclear("the Entra ID token has expired, or our clock is wrong")
  if (cause instanceof errors.JWTClaimValidationFailed) {
    return cause.claim === "nbf"
      ? unclear("the Entra ID token is not valid yet, or our clock is wrong")
      : forged(`the Entra ID token is not meant for us: ${named(cause.claim)}`)
  }
  if (cause instanceof errors.JWKSNoMatchingKey) {
    return unclear("the Entra ID token names a key that we do not have, and that may be published soon")
  }
  return tokenFaults.some((fault) => cause instanceof fault)
    ? forged("the Entra ID token is none, or its signature is wrong")
    : unclear("the keys of Entra ID could not be fetched")
}

const named = (claim: string): string => (/^(iss|aud|exp)$/.test(claim) ? claim : "a claim")

/** What is the token's own fault, whatever keys there are. */
const tokenFaults = [
  errors.JWTInvalid,
  errors.JWSInvalid,
  errors.JWSSignatureVerificationFailed,
  errors.JOSEAlgNotAllowed,
  errors.JOSENotSupported,
  errors.JWKSMultipleMatchingKeys
]
