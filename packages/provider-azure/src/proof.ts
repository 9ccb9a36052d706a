/**
 * Who knocks. Event Grid does not sign its deliveries; it can prove itself by a
 * secret in the webhook's URL (`code`), by a delivery header of ours, or by a
 * token of Entra ID (Event Grid guide: authenticate event delivery to webhooks).
 * Any of them that is configured suffices, so that one can take another's place
 * while events arrive.
 */
import { createHash, timingSafeEqual } from "node:crypto"
import type { RawRequest } from "@stopline/provider"
import { Effect, Redacted } from "effect"
import type { AzureEntra } from "./config.ts"
import { entraProver } from "./entra.ts"

export type Proof =
  | { readonly _tag: "Proven" }
  | { readonly _tag: "Forged"; readonly reason: string }
  /** It could not be found out. The same request may prove itself later. */
  | { readonly _tag: "Unclear"; readonly reason: string }

export interface Proofs {
  readonly secrets: ReadonlyArray<Redacted.Redacted>
  readonly entra: AzureEntra | undefined
}

/** Where the secret may be: a query parameter of the URL, or a header that the subscription adds. */
const parameter = "code"
const header = "x-stopline-secret"

const bearer = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i

export const makeProver = ({ entra, secrets }: Proofs): ((request: RawRequest) => Effect.Effect<Proof>) => {
  const proveToken = entra === undefined ? undefined : entraProver(entra)
  return Effect.fn("Azure.prove")(function* (request: RawRequest) {
    if (knowsSecret(request, secrets)) return { _tag: "Proven" } as const
    const token = bearer.exec(request.headers["authorization"] ?? "")?.[1]
    if (proveToken !== undefined && token !== undefined) return yield* proveToken(token, request.receivedAt)
    const wanted = [...(secrets.length > 0 ? ["secret"] : []), ...(entra !== undefined ? ["Entra ID token"] : [])]
    return { _tag: "Forged", reason: `the webhook's ${wanted.join(" or ")} is missing or wrong` } as const
  })
}

/** Every secret is compared with every claim, whatever the first ones gave, and by hashes: the time it takes tells nothing. */
const knowsSecret = (request: RawRequest, secrets: ReadonlyArray<Redacted.Redacted>): boolean => {
  const claims = [request.query[parameter], request.headers[header]].filter((claim) => claim !== undefined).map(digest)
  const matches = secrets.flatMap((secret) => {
    const expected = digest(Redacted.value(secret))
    return claims.map((claim) => timingSafeEqual(claim, expected))
  })
  return matches.includes(true)
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest()
