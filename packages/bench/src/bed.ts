/** What everything is measured on: one Postgres, and databases in it that nobody has written to. */
import { randomBytes } from "node:crypto"
import { Connection, migrate } from "@stopline/ledger"
import { Context, Effect, Layer, Redacted, type Scope } from "effect"
import pg from "pg"

const atDatabase = (url: string, database: string): string => {
  const at = new URL(url)
  at.pathname = `/${database}`
  return at.href
}

/** One connection for as long as something is done with it. */
export const withClient = async <A>(url: string, use: (client: pg.Client) => Promise<A>): Promise<A> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}

export class Bed extends Context.Service<
  Bed,
  {
    /** Which Postgres it is. */
    readonly version: string
    /** The URL of a database with Stopline's tables and nothing in them, until the scope closes. */
    readonly ledger: Effect.Effect<string, never, Scope.Scope>
    /** The URL of an empty database. */
    readonly database: Effect.Effect<string, never, Scope.Scope>
  }
>()("@stopline/bench/Bed") {
  static readonly layer = (server: Redacted.Redacted): Layer.Layer<Bed> =>
    Layer.effect(Bed, make(Redacted.value(server)))
}

const make = Effect.fnUntraced(function* (server: string) {
  const admin = (statement: string) =>
    Effect.promise(() => withClient(server, (client) => client.query<{ version: string }>(statement)))
  const fresh = (template: string) =>
    Effect.acquireRelease(
      Effect.gen(function* () {
        const name = `bench_${randomBytes(6).toString("hex")}`
        yield* admin(`create database ${name} template ${template}`)
        // What the one before has left to be written is not paid for by the next.
        yield* admin("checkpoint")
        return name
      }),
      (name) => admin(`drop database if exists ${name} with (force)`)
    )
  const template = yield* fresh("template0")
  const connection = Connection.layer(Redacted.make(atDatabase(server, template)), { connections: 1 })
  yield* Effect.orDie(Effect.provide(migrate, connection))
  const { rows } = yield* admin("select current_setting('server_version') as version")
  return Bed.of({
    version: rows[0]?.version ?? "?",
    ledger: Effect.map(fresh(template), (name) => atDatabase(server, name)),
    database: Effect.map(fresh("template0"), (name) => atDatabase(server, name))
  })
})
