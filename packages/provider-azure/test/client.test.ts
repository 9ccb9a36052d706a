import { describe, expect, it } from "@effect/vitest"
import { mayHaveApplied } from "@stopline/provider"
import { Duration, Effect, Redacted } from "effect"
import {
  accessKey,
  account,
  adapterFor,
  agreeable,
  connectionString,
  failureOf,
  invalidInput,
  people,
  portOf,
  recipient,
  sender,
  shortCode,
  startFake,
  startPair
} from "./fake.ts"
import { makeAzureAdapter } from "../src/index.ts"

describe("a request", () => {
  it.live("is signed, and goes where Azure's reference says", () =>
    Effect.gen(function* () {
      const { check, fake, optIn, optOut } = yield* startPair()
      const [one, two] = [recipient("+12065551000"), recipient("+12065551001")]
      yield* check(sender, [one, two])
      yield* optOut(sender, [one])
      yield* optIn(shortCode, [two])
      // The fake hears only what is signed well: an HMAC of its own says so.
      expect(fake.heard.map(({ body, method, url }) => ({ body, method, url }))).toEqual([
        {
          method: "POST",
          url: "/sms/optouts:check?api-version=2026-01-23",
          body: { from: sender, recipients: [{ to: one }, { to: two }] }
        },
        {
          method: "POST",
          url: "/sms/optouts:add?api-version=2026-01-23",
          body: { from: sender, recipients: [{ to: one }] }
        },
        {
          method: "POST",
          url: "/sms/optouts:remove?api-version=2026-01-23",
          body: { from: "20500", recipients: [{ to: two }] }
        }
      ])
      expect(fake.heard.map(({ headers }) => headers["content-type"])).toEqual(Array(3).fill("application/json"))
    })
  )

  it.live("can ask for the preview version", () =>
    Effect.gen(function* () {
      const { check, fake } = yield* startPair(agreeable, { apiVersion: "2024-12-10-preview" })
      yield* check(sender, people(1))
      expect(fake.heard[0]?.url).toBe("/sms/optouts:check?api-version=2024-12-10-preview")
    })
  )

  it.live("with another key is denied", () =>
    Effect.gen(function* () {
      const fake = yield* startFake()
      const other = Buffer.from("another key").toString("base64")
      const adapter = yield* adapterFor(fake, { connectionString: connectionString(fake.endpoint, other) })
      const error = yield* failureOf(portOf(adapter.check).check(sender, people(1)))
      expect(error.reason).toMatchObject({ _tag: "Denied", status: 401, code: "Denied" })
      expect(fake.heard).toHaveLength(0)
    })
  )

  it.live("is sent once: neither an error nor a redirection is followed up", () =>
    Effect.gen(function* () {
      for (const status of [307, 303, 429, 500, 503]) {
        const { check, fake } = yield* startPair(() => ({
          status,
          headers: { location: "/sms/optouts:remove?api-version=2026-01-23", "retry-after": "0" }
        }))
        yield* failureOf(check(sender, people(1)))
        expect(fake.heard).toHaveLength(1)
      }
    })
  )

  it.live("is not sent for nobody", () =>
    Effect.gen(function* () {
      const { check, fake, optOut } = yield* startPair()
      expect(yield* check(sender, [])).toEqual([])
      expect(yield* optOut(sender, [])).toEqual([])
      expect(fake.heard).toHaveLength(0)
    })
  )
})

describe("the probe", () => {
  it.live("checks the sender's own number, and changes nothing", () =>
    Effect.gen(function* () {
      const { adapter, fake } = yield* startPair()
      yield* adapter.probe(sender)
      expect(fake.heard.map(({ body, url }) => [url.split("?")[0], body.recipients])).toEqual([
        ["/sms/optouts:check", [{ to: sender }]]
      ])
    })
  )

  it.live("asks a short code about a number that nobody has, and a refusal of that number is an answer", () =>
    Effect.gen(function* () {
      const { adapter, fake } = yield* startPair(() => invalidInput)
      yield* adapter.probe(shortCode)
      expect(fake.heard.map(({ body }) => body.recipients)).toEqual([[{ to: "+12025550100" }]])
    })
  )

  it.live("fails where Azure does not know us", () =>
    Effect.gen(function* () {
      const { adapter } = yield* startPair(() => ({
        status: 401,
        body: { error: { code: "Unauthorized", message: "" } }
      }))
      const error = yield* failureOf(adapter.probe(sender))
      expect(error.operation).toBe("probe")
      expect(error.reason).toMatchObject({ _tag: "Denied", code: "Unauthorized" })
    })
  )
})

describe("an answer that breaks off", () => {
  it.live("leaves a write in doubt, and never a check", () =>
    Effect.gen(function* () {
      const { check, optIn, optOut } = yield* startPair(() => "torn")
      const errors = [
        yield* failureOf(optOut(sender, people(1))),
        yield* failureOf(optIn(sender, people(1))),
        yield* failureOf(check(sender, people(1)))
      ]
      expect(errors.map(({ reason }) => reason._tag)).toEqual(Array(3).fill("Unavailable"))
      expect(errors.map(mayHaveApplied)).toEqual([true, true, false])
    })
  )
})

describe("an Entra ID credential", () => {
  const refusing = (cause: unknown) => ({ getToken: () => Promise.reject(cause) })
  const failing = (name: string, statusCode?: number) =>
    Object.assign(new Error(`the secret ${accessKey} was not accepted`), { name, statusCode })

  it.live("is asked for a token for Azure Communication Services", () =>
    Effect.gen(function* () {
      const scopes: Array<unknown> = []
      const credential = {
        getToken: (scope: unknown) => {
          scopes.push(scope)
          return Promise.resolve({ token: "made-up", expiresOnTimestamp: 4_000_000_000_000 })
        }
      }
      // Nobody listens there over TLS: that the token was asked for first is the point.
      const gone = yield* Effect.scoped(startFake())
      const adapter = yield* makeAzureAdapter({
        account,
        endpoint: gone.endpoint.replace("http:", "https:"),
        credential
      })
      const error = yield* failureOf(portOf(adapter.check).check(sender, people(1)))
      expect(scopes).toEqual([["https://communication.azure.com//.default"]])
      expect(error.detail).toContain("ECONNREFUSED")
    })
  )

  it.live("that is refused is denied, and one that cannot be reached is unavailable; nothing was sent", () =>
    Effect.gen(function* () {
      const endpoint = "https://127.0.0.1:1"
      const reasonOf = Effect.fn(function* (cause: unknown) {
        const adapter = yield* makeAzureAdapter({ account, endpoint, credential: refusing(cause) })
        const error = yield* failureOf(portOf(adapter.write.optOut).write(sender, people(1)))
        expect(mayHaveApplied(error)).toBe(false)
        expect(JSON.stringify(error) + error.message).not.toContain(accessKey)
        return error.reason
      })
      expect(yield* reasonOf(failing("AuthenticationError", 400))).toMatchObject({ _tag: "Denied", status: 400 })
      expect(yield* reasonOf(failing("CredentialUnavailableError"))).toMatchObject({ _tag: "Denied", status: 401 })
      expect(yield* reasonOf(failing("AuthenticationError", 503))).toMatchObject({ _tag: "Unavailable" })
      expect(yield* reasonOf(failing("RestError"))).toMatchObject({ _tag: "Unavailable" })
    })
  )

  it.live("that never answers is out of time, too", () =>
    Effect.gen(function* () {
      const adapter = yield* makeAzureAdapter({
        account,
        endpoint: "https://127.0.0.1:1",
        credential: { getToken: () => new Promise(() => {}) },
        timeout: Duration.millis(20)
      })
      const error = yield* failureOf(portOf(adapter.check).check(sender, people(1)))
      expect(error.reason._tag).toBe("Unavailable")
    })
  )
})

describe("a configuration", () => {
  const problemOf = (config: Parameters<typeof makeAzureAdapter>[0]) =>
    Effect.scoped(Effect.flip(makeAzureAdapter(config)))

  it.live("that cannot work is refused without repeating its secrets", () =>
    Effect.gen(function* () {
      const broken = [
        Redacted.make(accessKey),
        Redacted.make(""),
        Redacted.make(`accesskey=${accessKey};endpoint=https://contoso.communication.azure.com/`),
        connectionString("http://contoso.communication.azure.com"),
        connectionString("http://127.0.0.1.contoso.example"),
        connectionString("ftp://contoso.communication.azure.com"),
        connectionString("https://contoso.communication.azure.com/sms"),
        connectionString("https://someone:secret-word@contoso.communication.azure.com"),
        connectionString("https://contoso.communication.azure.com", `${accessKey}%`)
      ]
      for (const secret of broken) {
        const error = yield* problemOf({ account, connectionString: secret })
        expect(error._tag).toBe("AzureConfigError")
        expect(error.message).not.toContain(accessKey)
        expect(error.message).not.toContain("secret-word")
      }
    })
  )

  it.live("sends no token without TLS", () =>
    Effect.gen(function* () {
      const credential = { getToken: () => Promise.resolve(null) }
      const error = yield* problemOf({ account, endpoint: "http://127.0.0.1:8080", credential })
      expect(error.problem).toBe("Entra ID tokens are sent over https only")
    })
  )

  it.live("with a webhook secret that could be guessed is refused", () =>
    Effect.gen(function* () {
      for (const secret of ["", "short"]) {
        const error = yield* problemOf({
          account,
          connectionString: connectionString("https://contoso.communication.azure.com"),
          webhookSecrets: [Redacted.make("a secret that is long enough"), Redacted.make(secret)]
        })
        expect(error.problem).toContain("shorter than 16")
      }
    })
  )

  it.live("sets the limits, by resource", () =>
    Effect.gen(function* () {
      const access = { account, connectionString: connectionString("https://contoso.communication.azure.com") }
      const plain = yield* makeAzureAdapter(access)
      const other = yield* makeAzureAdapter({ ...access, limits: { requests: 7, concurrency: 2 } })
      expect(plain.limits).toEqual([
        {
          name: "opt-outs",
          credential: "contoso.communication.azure.com",
          requests: 200,
          window: Duration.seconds(60),
          penalty: Duration.seconds(60),
          operations: ["probe", "check", "optOut", "optIn"]
        }
      ])
      expect(other.limits[0]).toMatchObject({ requests: 7, window: Duration.seconds(60) })
      expect(portOf(other.write.optOut).concurrency).toBe(2)
      expect(portOf(plain.write.optOut).concurrency).toBe(4)
      expect([plain.list._tag, plain.evidence._tag, plain.events._tag]).toEqual(["Cannot", "Cannot", "NotYet"])
    })
  )
})
