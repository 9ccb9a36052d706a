/** A database of its own for one test file, thrown away afterwards. */
import { randomBytes } from "node:crypto"
import { Effect, Layer, Redacted } from "effect"
import pg from "pg"
import { inject } from "vitest"
import { Connection } from "@stopline/ledger"
import { atDatabase } from "./postgres.ts"

const admin = (url: string, statement: string) =>
  Effect.promise(async () => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query(statement).finally(() => client.end())
  })

/** The URL of a fresh clone of the migrated template, for as long as the scope lives. */
export const freshDatabase = Effect.gen(function* () {
  const { template, url } = inject("postgres")
  const name = `stopline_test_${randomBytes(6).toString("hex")}`
  yield* Effect.acquireRelease(admin(url, `create database ${name} template ${template}`), () =>
    admin(url, `drop database if exists ${name} with (force)`)
  )
  return Redacted.make(atDatabase(url, name))
})

export const ledgerForTest: Layer.Layer<Connection> = Layer.unwrap(
  Effect.map(freshDatabase, (url) => Connection.layer(url))
).pipe(Layer.orDie)
