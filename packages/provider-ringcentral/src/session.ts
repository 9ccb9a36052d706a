/**
 * Logging in, and the SDK tamed.
 *
 * `@ringcentral/sdk` 5.0.11 cannot present a JWT again once its token has run
 * out, shares one token between all instances that keep its default cache, and
 * forgets a session over one failed refresh. So an SDK instance lives as long as
 * one token: a login makes one, and when the token is lost or near its end the
 * instance is thrown away and the next login makes another.
 */
import { SDK } from "@ringcentral/sdk"
import { Denied, type Refused } from "@stopline/provider"
import { Cache, Clock, Duration, Effect, Exit, Redacted, Schema, type Scope } from "effect"
import type { ResolvedConfig } from "./config.ts"
import { answerOf, boundedFetch } from "./exchange.ts"
import { type Fault, fromAnswer, fromCause, unreadable } from "./failure.ts"
import type { Limits } from "./limits.ts"
import { TokenInfo } from "./wire.ts"

type Platform = ReturnType<SDK["platform"]>

/** One token and the SDK instance that holds it. Two logins are the same one if they are the same object. */
export interface Login {
  readonly platform: Platform
  readonly lifetime: Duration.Duration
}

export interface Session {
  /** The login to use now. However many ask at once, there is one request for a token. */
  readonly login: Effect.Effect<Login, Fault>
  /** RingCentral answered 401 to it. The late 401 of an older login changes nothing. */
  readonly lost: (login: Login) => Effect.Effect<void>
}

export const openSession = Effect.fn("openSession")(function* (
  config: ResolvedConfig,
  limits: Limits
): Effect.fn.Return<Session, never, Scope.Scope> {
  const closed = yield* Effect.acquireRelease(
    Effect.sync(() => new AbortController()),
    (controller) => Effect.sync(() => controller.abort())
  )
  const logins = yield* Cache.makeWith(() => logIn(config, limits, closed.signal), {
    capacity: 1,
    // A login that failed is forgotten at once: all who waited for it fail, whoever comes next tries again.
    timeToLive: (exit: Exit.Exit<Login, Fault>) => (Exit.isSuccess(exit) ? renewAfter(exit.value) : Duration.zero)
  })
  return {
    login: Cache.get(logins, only),
    lost: (login) => Effect.asVoid(Cache.invalidateWhen(logins, only, (current) => current === login))
  }
})

const only = "login"

/** A minute before its end, so that no request leaves with a token that runs out on its way; of a short life a tenth. */
const renewAfter = ({ lifetime }: Login): Duration.Duration =>
  Duration.subtract(lifetime, Duration.min(Duration.minutes(1), Duration.times(lifetime, 0.1)))

const drawing = { operation: "login", group: "auth" } as const

const logIn = Effect.fn("logIn")(function* (config: ResolvedConfig, limits: Limits, closed: AbortSignal) {
  yield* Effect.mapError(limits.turn(drawing), fromLogin)
  yield* Effect.mapError(limits.open(drawing), fromLogin)
  const { answer, platform } = yield* Effect.tryPromise({
    try: async (abandoned) => {
      const platform = makePlatform(config, closed, abandoned)
      return { answer: await answerOf(platform.login({ jwt: Redacted.value(config.jwt) })), platform }
    },
    catch: (cause) => fromLogin(fromCause(cause, false))
  })
  yield* limits.heard(drawing, answer)
  if (answer.status !== 200) {
    return yield* Effect.fail(fromLogin(fromAnswer(answer, false, yield* Clock.currentTimeMillis)))
  }
  const token = yield* Effect.mapError(decodeToken(answer.text), () => unreadable(false, "the login gave no token"))
  return { platform, lifetime: Duration.seconds(token.expires_in) } satisfies Login
})

const decodeToken = Schema.decodeUnknownEffect(TokenInfo)

const fromLogin = ({ detail, reason }: Fault): Fault => ({
  // OAuth answers 400 to a JWT it does not take. Only a person can mend that.
  reason: reason._tag === "Refused" || reason._tag === "Denied" ? denied(reason) : reason,
  detail: `login: ${detail}`
})

/** A 403 is said of what these credentials may do, and they were not asked for anything yet: a door is not closed by it. */
const denied = ({ code, status }: Refused | Denied): Denied =>
  new Denied({ status: status === 403 ? 401 : status, ...(code !== undefined && { code }) })

const makePlatform = (config: ResolvedConfig, ...signals: ReadonlyArray<AbortSignal>): Platform => {
  const platform = new SDK({
    server: config.server.origin,
    clientId: config.clientId,
    clientSecret: Redacted.value(config.clientSecret),
    appName: "Stopline",
    // Of one length, so that none begins another: the SDK cleans its cache by prefix.
    cachePrefix: `stopline-${crypto.randomUUID()}-`,
    localStorage: memoryStorage(),
    fetch: boundedFetch(config.fetch, config.timeout, ...signals),
    Request,
    Response,
    Headers
  }).platform()
  // Switches the automatic refresh off, as its documentation says.
  platform.ensureLoggedIn = async () => null
  // `retry` tells the SDK that this is the second try already, so it makes no other one after a 401 or a 429.
  const send = platform.send.bind(platform)
  platform.send = (options) => send({ ...options, retry: true })
  return platform
}

/** What the SDK keeps a token in. By default all its instances in a process share one. */
const memoryStorage = (): Storage => {
  const items = new Map<string, string>()
  return {
    get length() {
      return items.size
    },
    key: (index) => [...items.keys()][index] ?? null,
    keys: () => [...items.keys()],
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
    clear: () => items.clear()
  }
}
