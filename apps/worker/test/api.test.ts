/** The interface for applications: who may ask what, and what is answered when something is wrong. */
import { describe, expect, it } from "@effect/vitest"
import { freePort } from "@stopline/ledger"
import { Effect, Fiber } from "effect"
import { ask, endpoints, keyFor, type ScopeName } from "./api.ts"
import { startWorker } from "./worker.ts"
import { eventually, locksHere, makeWorld } from "./world.ts"

const scopes: ReadonlyArray<ScopeName> = ["read", "attest", "operate"]
const reaches = (has: ScopeName, needed: ScopeName) => scopes.indexOf(has) >= scopes.indexOf(needed)

/** A request of a key that may do it, and that is as it should be. */
const good: Readonly<Record<string, number>> = { "/v1/plan/approve": 409, "/v1/halts/1/clear": 404 }

const someone = "+15550100001"

describe.concurrent("the interface for applications", () => {
  it.live("takes a key of its scope, and no other", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const { logged, said } = yield* startWorker(world)
      const keys = {
        read: yield* keyFor(world, "shop", "read"),
        attest: yield* keyFor(world, "desk", "attest"),
        operate: yield* keyFor(world, "ops", "operate")
      }
      const expired = yield* keyFor(world, "old", "operate", "2026-01-01T00:00:00Z")
      const [first = ""] = keys.operate.match(/^stopline_[0-9a-f]{8}_/) ?? []
      const wrong = [
        undefined,
        "guess",
        `${first}${"A".repeat(43)}`,
        keys.operate.slice(0, -1),
        expired,
        "A".repeat(9000)
      ]
      for (const { body, path, scope } of endpoints) {
        for (const key of wrong) {
          const { body: problem, headers, status } = yield* ask(world.url, key, path, body)
          expect([path, status]).toEqual([path, 401])
          expect(headers.get("content-type")).toBe("application/problem+json")
          expect(headers.get("www-authenticate")).toContain("Bearer")
          expect(problem).toMatchObject({ status: 401, detail: expect.stringContaining("stopline keys add") })
        }
        for (const has of scopes) {
          const { body: answer, status } = yield* ask(world.url, keys[has], path, body)
          const expected = reaches(has, scope) ? (good[path] ?? 200) : 403
          expect([path, has, status]).toEqual([path, has, expected])
          if (status === 403) expect(answer.detail).toContain(`of the scope ${scope}`)
        }
      }
      const told = [...logged, ...said.map((line) => JSON.stringify(line))].join("\n")
      for (const secret of [...Object.values(keys), someone]) expect(told).not.toContain(secret.slice(9, 60))
      expect(told).not.toContain(someone)
    })
  )

  it.live("says what is wrong with a body by its place, and never repeats a number", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* startWorker(world)
      const key = yield* keyFor(world, "ops", "operate")
      for (const { body, path } of endpoints) {
        if (body === undefined) continue
        const bad = [
          "",
          "{",
          "[]",
          JSON.stringify(someone),
          { ...body, [someone]: 1 },
          { by: 5, recipients: [someone, 7] }
        ]
        for (const one of bad) {
          const { body: problem, status } = yield* ask(world.url, key, path, one)
          expect([path, one, status]).toEqual([path, one, 422])
          expect(JSON.stringify(problem)).not.toContain(someone)
          expect(problem.detail).toMatch(/openapi\.json|no JSON/)
        }
        const large = yield* ask(world.url, key, path, JSON.stringify({ by: "x".repeat(17 * 2 ** 20) }))
        expect([path, large.status, large.body.detail]).toEqual([path, 413, expect.stringContaining("in parts")])
      }
      const wrong = [
        { sender: "+18005550109", recipients: [someone] },
        { sender: someone, recipients: [someone] },
        { sender: "ACME", recipients: [someone] },
        { group: "nobody", recipients: [someone] },
        { sender: "+18005550100", group: "all", recipients: [someone] },
        { sender: "+18005550100", account: "fabrikam", recipients: [someone] },
        { recipients: [someone] },
        { sender: "+18005550100", recipients: [] },
        { sender: "+18005550100", recipients: Array.from({ length: 1001 }, () => someone) }
      ]
      for (const body of wrong) {
        const { body: problem, status } = yield* ask(world.url, key, "/v1/check", body)
        expect([body, status]).toEqual([body, 422])
        expect(JSON.stringify(problem)).not.toContain(someone)
      }
      const query = yield* ask(world.url, key, "/v1/imports?country=1234567", { rows: [] })
      expect([query.status, query.body.detail]).toEqual([422, expect.stringContaining("two letters")])
      const misspelt = yield* ask(world.url, key, "/v1/imports?acount=contoso", { rows: [{ recipient: someone }] })
      expect([misspelt.status, misspelt.body.detail]).toEqual([
        422,
        expect.stringContaining("sender, account, at, country")
      ])
      expect(yield* world.sql("select from observation where basis = 'imported'")).toEqual([])
      for (const path of ["/v1", "/v1/", "/v1/recipients", "/v1/checks", "/v1/check/1", "/v1/halts/1", "/v1/%00"]) {
        const { body: problem, headers, status } = yield* ask(world.url, key, path)
        expect([path, status, headers.get("content-type")]).toEqual([path, 404, "application/problem+json"])
        expect(problem).toMatchObject({ status: 404, detail: expect.stringContaining("/v1/openapi.json") })
      }
      expect((yield* ask(world.url, key, "/v1/check")).body.detail).toContain("not by this method")
      expect((yield* ask(world.url, key, "/v1/halts/first/clear", { by: "Ada" })).status).toBe(422)
    })
  )

  it.live("counts the requests of each key, and says how long to wait", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* startWorker({ ...world, file: yield* withRate(world.file) })
      const shop = yield* keyFor(world, "shop", "read")
      const desk = yield* keyFor(world, "desk", "read")
      const path = "/v1/halts"
      const answers = yield* Effect.all(
        Array.from({ length: 20 }, () => ask(world.url, shop, path)),
        { concurrency: "unbounded" }
      )
      const refused = answers.filter(({ status }) => status === 429)
      expect(refused.length).toBeGreaterThan(0)
      for (const { body, headers } of refused) {
        expect(Number(headers.get("retry-after"))).toBeGreaterThan(0)
        expect(body.detail).toContain("shop")
      }
      // Another key has a rate of its own, and the first gets on again.
      expect((yield* ask(world.url, desk, path)).status).toBe(200)
      yield* eventually(
        "there is a token again",
        Effect.map(ask(world.url, shop, path), ({ status }) => status === 200)
      )
    })
  )

  it.live("tells nobody yes while the database is away, and goes on when it is back", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* startWorker(world)
      const key = yield* keyFor(world, "ops", "operate")
      const [check] = endpoints
      expect((yield* ask(world.url, key, check.path, check.body)).body.results[0].mayText).toBe(true)
      yield* world.cut
      for (const { body, path } of endpoints) {
        const { body: problem, status } = yield* ask(world.url, key, path, body)
        expect([path, status, problem.detail]).toEqual([path, 503, expect.stringContaining("text nobody")])
      }
      yield* world.mend
      yield* eventually(
        "it answers again",
        Effect.map(ask(world.url, key, check.path, check.body), ({ status }) => status === 200)
      )
    })
  )

  it.live("waits for no database for ever: no answer in time is no yes", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* startWorker(world)
      const key = yield* keyFor(world, "shop", "read")
      const [check] = endpoints
      const asked = ask(world.url, key, check.path, check.body)
      expect((yield* asked).status).toBe(200)
      const locked = yield* Effect.forkChild(
        world.sql("do $$ begin lock table standing in access exclusive mode; perform pg_sleep(60); end $$")
      )
      yield* eventually(
        "the table is locked",
        Effect.map(
          world.sql(`select from ${locksHere} and mode = 'AccessExclusiveLock' and relation = 'standing'::regclass`),
          (rows) => rows.length > 0
        )
      )
      const { body, status } = yield* asked
      expect([status, body.detail]).toEqual([503, expect.stringContaining("text nobody")])
      yield* world.sql(
        `select pg_terminate_backend(pid) from ${locksHere} and relation = 'standing'::regclass and granted`
      )
      yield* eventually(
        "it answers again",
        Effect.map(asked, ({ status }) => status === 200)
      )
      yield* Fiber.interrupt(locked)
    })
  )

  it.live("refuses at every worker what was revoked at one", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* startWorker(world)
      const port = yield* freePort
      const other = `http://127.0.0.1:${port}`
      yield* startWorker(world, { port })
      const key = yield* keyFor(world, "crm", "read")
      for (const url of [world.url, other]) expect((yield* ask(url, key, "/v1/halts")).status).toBe(200)
      yield* world.sql("update api_key set revoked_at = now(), revoked_by = 'test' where name = 'crm'")
      for (const url of [world.url, other]) {
        yield* eventually(
          "it is refused",
          Effect.map(ask(url, key, "/v1/halts"), ({ status }) => status === 401)
        )
      }
      // Its name is free again.
      const next = yield* keyFor(world, "crm", "read")
      expect((yield* ask(other, next, "/v1/halts")).status).toBe(200)
      expect((yield* ask(other, key, "/v1/halts")).status).toBe(401)
    })
  )
})

/** The same configuration, with few requests in a second. */
const withRate = Effect.fnUntraced(function* (file: string) {
  const { readFile, writeFile } = yield* Effect.promise(() => import("node:fs/promises"))
  const text = yield* Effect.promise(() => readFile(file, "utf8"))
  expect(text).toContain("http: { ")
  yield* Effect.promise(() => writeFile(file, text.replace("http: { ", "http: { perSecond: 2, ")))
  return file
})
