/** What is done to very many rows at once, rarely: restoring them, folding them into another group, settling them again. */
import { Connection, register, settle } from "@stopline/ledger"
import { Clock, Effect } from "effect"
import { sql } from "kysely"
import { type Filled, numberOf } from "./fill.ts"

/** Of a thousand recipients each. */
const pages = 200

/** Rows a second. */
const rate = <E, R>(rows: number, self: Effect.Effect<unknown, E, R>) =>
  Effect.gen(function* () {
    const since = yield* Clock.currentTimeMillis
    yield* self
    return Math.round((rows * 1000) / ((yield* Clock.currentTimeMillis) - since))
  })

export const bulk = Effect.fn("bulk")(function* ({ account, sender }: Filled, pairs: number) {
  const { query, transaction } = yield* Connection
  const run = (text: string) => query("bulk", (db) => sql.raw(text).execute(db))
  const { rows } = yield* query("bulk", (db) =>
    sql<{ folder: string }>`select current_setting('data_directory') as folder`.execute(db)
  )
  const file = `${rows[0]!.folder}/copied`
  const some = Math.min(pairs, 1_000_000)
  yield* run(`copy (select * from observation limit ${some}) to '${file}'`)
  yield* run("create table copied (like observation including indexes)")
  const copied = yield* rate(some, run(`copy copied from '${file}'`))
  yield* run("drop table copied")
  const address = sender.address
  const joinAnother = register(
    [{ name: account.name, vendor: account.vendor, senders: [address] }],
    [{ name: "another brand", members: [{ account: account.name, sender: address }] }],
    "strict",
    0
  )
  const folded = yield* rate(pairs, joinAnother)
  const settlePages = Effect.gen(function* () {
    for (let page = 0; page < pages; page++) {
      const recipients = Array.from({ length: 1000 }, (_, i) => numberOf(page * 1000 + i))
      yield* transaction("bulk", settle(sender.id, recipients, "strict"))
    }
  })
  return { copied, folded, settled: yield* rate(pages * 1000, settlePages) }
})
