/** Who asks, and whether they may: a bearer key with its scope and its rate. */
import { scopes, type Scope } from "@stopline/ledger"
import { Clock, Context, Effect, Layer, Redacted } from "effect"
import { HttpApiMiddleware, HttpApiSecurity, OpenApi } from "effect/http-api"
import { Rates } from "./bucket.ts"
import { Keys } from "./keys.ts"
import { Forbidden, TooMany, Unauthorized, Unavailable, unavailable, withHeader } from "./problems.ts"

/** What an endpoint asks of the key. */
export class Needs extends Context.Service<Needs, Scope>()("@stopline/worker/Needs") {}

/** The name of the key of this request: who is told to have asked. */
export class Caller extends Context.Service<Caller, string>()("@stopline/worker/Caller") {}

export class Authorised extends HttpApiMiddleware.Service<Authorised, { provides: Caller }>()(
  "@stopline/worker/Authorised",
  {
    error: [Unauthorized, Forbidden, TooMany, Unavailable],
    security: {
      key: HttpApiSecurity.bearer.pipe(
        HttpApiSecurity.annotate(
          OpenApi.Description,
          "A key that `stopline keys add` printed. It may do what its scope says: read < attest < operate"
        )
      )
    }
  }
) {}

const missing = "give a key as `Authorization: Bearer stopline_…`; `stopline keys add` makes one"
const refused =
  "no key in force is this one: it was revoked, has expired, or was never ours; `stopline keys add` makes another"

export const authorised: Layer.Layer<Authorised, never, Keys | Rates> = Layer.effect(
  Authorised,
  Effect.gen(function* () {
    const keys = yield* Keys
    const { perSecond, take } = yield* Rates
    return Authorised.of({
      key: Effect.fnUntraced(function* (handler, { credential, endpoint }) {
        const needed = Context.getOrElse(endpoint.annotations, Needs, (): Scope => "operate")
        const key = yield* unavailable(keys.find(credential))
        if (key === undefined) {
          yield* withHeader("www-authenticate", 'Bearer realm="stopline"')
          return yield* new Unauthorized({ detail: Redacted.value(credential) === "" ? missing : refused })
        }
        const waitMs = take(key.handle, yield* Clock.currentTimeMillis)
        if (waitMs > 0) {
          yield* withHeader("retry-after", String(Math.ceil(waitMs / 1000)))
          return yield* new TooMany({
            detail: `the key ${key.name} may ask ${perSecond} times a second in this worker; wait as Retry-After says, or ask about up to 1,000 people at once`
          })
        }
        if (scopes.indexOf(key.scope) < scopes.indexOf(needed)) {
          return yield* new Forbidden({
            detail: `this needs a key of the scope ${needed}, and ${key.name} has ${key.scope}; \`stopline keys add --scope ${needed}\` makes one`
          })
        }
        return yield* Effect.provideService(handler, Caller, key.name)
      })
    })
  })
)
