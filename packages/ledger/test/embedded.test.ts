import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { chmod, mkdir, readFile, rm } from "node:fs/promises"
import path from "node:path"
import { promisify } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import { embeddedPostgres, ledgerLayer, temporaryFolder } from "@stopline/ledger"
import { Effect, Exit, Fiber, Layer, Redacted, Scope } from "effect"
import pg from "pg"

const folder = temporaryFolder("embedded")

const server = (folder: string) => embeddedPostgres({ folder, disposable: true })

const ask = (url: Redacted.Redacted, statement: string) =>
  Effect.promise(async () => {
    const client = new pg.Client({ connectionString: Redacted.value(url), connectionTimeoutMillis: 5_000 })
    client.on("error", () => undefined)
    try {
      await client.connect()
      const { rows } = await client.query(statement)
      return rows as ReadonlyArray<Record<string, unknown>>
    } catch {
      return undefined
    } finally {
      await client.end().catch(() => undefined)
    }
  })

const portOf = (url: Redacted.Redacted) => new URL(Redacted.value(url)).port

/** Opens in a scope that the test closes itself: another process would be no different. */
const opened = Effect.fnUntraced(function* (folder: string) {
  const scope = yield* Scope.fork(yield* Effect.scope)
  const url = yield* Scope.provide(server(folder), scope)
  return { url, close: Scope.close(scope, Exit.void) }
})

describe("the Postgres from npm", () => {
  it.live("is started by the first who needs it, joined by the second, and stopped by the last (L12)", () =>
    Effect.gen(function* () {
      const at = yield* folder
      const first = yield* opened(at)
      yield* ask(first.url, "create table kept (n int)")
      const second = yield* opened(at)
      assert.strictEqual(Redacted.value(second.url), Redacted.value(first.url))
      // The second one is at work while the first one leaves.
      const client = new pg.Client({ connectionString: Redacted.value(second.url) })
      client.on("error", () => undefined)
      yield* Effect.promise(() => client.connect())
      yield* first.close
      assert.deepStrictEqual(yield* ask(second.url, "select count(*)::int as n from kept"), [{ n: 0 }])
      yield* Effect.promise(() => client.end())
      yield* second.close
      assert.isUndefined(yield* ask(second.url, "select 1"))
      const third = yield* opened(at)
      assert.deepStrictEqual(yield* ask(third.url, "select count(*)::int as n from kept"), [{ n: 0 }])
      yield* third.close
    }).pipe(Effect.scoped)
  )

  it.live("is one, however many want it at once, and gone when all have left at once", () =>
    Effect.gen(function* () {
      const at = yield* folder
      const all = yield* Effect.forEach([1, 2, 3], () => opened(at), { concurrency: "unbounded" })
      assert.strictEqual(new Set(all.map((one) => portOf(one.url))).size, 1)
      // Who is about to leave as well does not keep it running.
      const leaving = new pg.Client({
        connectionString: Redacted.value(all[0]!.url),
        application_name: "stopline leaving"
      })
      leaving.on("error", () => undefined)
      yield* Effect.promise(() => leaving.connect())
      yield* Effect.forEach(all, (one) => one.close, { concurrency: "unbounded" })
      assert.isUndefined(yield* ask(all[0]!.url, "select 1"))
    }).pipe(Effect.scoped)
  )

  it.live("is stopped by its starter, though somebody is only just leaving", () =>
    Effect.gen(function* () {
      const { close, url } = yield* opened(yield* folder)
      const client = new pg.Client({ connectionString: Redacted.value(url) })
      client.on("error", () => undefined)
      yield* Effect.promise(() => client.connect())
      const closing = yield* Effect.forkChild(close)
      yield* Effect.sleep("500 millis")
      yield* Effect.promise(() => client.end())
      yield* Fiber.join(closing)
      assert.isUndefined(yield* ask(url, "select 1"))
    }).pipe(Effect.scoped)
  )

  it.live("is found again after its starter was killed, and stopped by whoever joined it (L12)", () =>
    Effect.gen(function* () {
      const at = yield* folder
      const starter = spawn(process.execPath, [path.join(import.meta.dirname, "starter.ts"), at], {
        stdio: ["ignore", "pipe", "inherit"]
      })
      const [printed] = yield* Effect.promise(() => once(starter.stdout, "data"))
      const port = String(printed).trim()
      starter.kill("SIGKILL")
      yield* Effect.promise(() => (starter.exitCode === null ? once(starter, "exit") : Promise.resolve([])))
      const joined = yield* opened(at)
      assert.strictEqual(portOf(joined.url), port)
      assert.deepStrictEqual(yield* ask(joined.url, "select 1 as one"), [{ one: 1 }])
      yield* joined.close
      assert.isUndefined(yield* ask(joined.url, "select 1"))
    }).pipe(Effect.scoped)
  )

  it.live("works where only its owner may look, and keeps its password to itself (L14)", () =>
    Effect.gen(function* () {
      const outer = yield* folder
      const at = path.join(outer, "private", ".stopline")
      yield* Effect.promise(async () => {
        await mkdir(path.join(outer, "private"))
        await chmod(path.join(outer, "private"), 0o700)
      })
      const one = yield* opened(at)
      assert.deepStrictEqual(yield* ask(one.url, "select 1 as one"), [{ one: 1 }])
      const password = yield* Effect.promise(() => readFile(path.join(at, "postgres.password"), "utf8"))
      assert.include(Redacted.value(one.url), password)
      assert.notInclude(JSON.stringify(one.url), password)
      const { stdout } = yield* Effect.promise(() =>
        promisify(execFile)("stat", ["-c", "%a", path.join(at, "postgres.password")])
      )
      assert.strictEqual(stdout.trim(), "600")
      const [data] = (yield* ask(one.url, "show data_directory"))!
      yield* one.close
      const files = String(data!["data_directory"])
      if (!files.startsWith(outer)) {
        yield* Effect.promise(() => rm(path.dirname(files), { recursive: true, force: true }))
      }
    }).pipe(Effect.scoped)
  )

  it.live("is a migrated ledger to who opens one in a folder", () =>
    Effect.gen(function* () {
      const at = yield* folder
      yield* Effect.scoped(Layer.build(ledgerLayer({ _tag: "Embedded", folder: at })))
      const one = yield* opened(at)
      assert.deepStrictEqual(yield* ask(one.url, "select count(*)::int as n from observation"), [{ n: 0 }])
      yield* one.close
    }).pipe(Effect.scoped)
  )
})
