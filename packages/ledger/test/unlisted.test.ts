import { assert, layer } from "@effect/vitest"
import { everySender } from "@stopline/consent"
import { Connection, register, unlisted } from "@stopline/ledger"
import { Effect } from "effect"
import { sql } from "kysely"
import { ledgerForTest } from "../../../test/database.ts"
import {
  accountOf,
  accounts,
  brand,
  east,
  eastOne,
  fresh,
  person,
  stranger,
  strangerJoins,
  west
} from "../../../test/world.ts"
import { hear } from "./hearing.ts"

layer(ledgerForTest, { excludeTestServices: true })("senders that no account lists", (it) => {
  it.effect("are named with how many people opted out there, until one lists them", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const here = accountOf(registry, east).id
      const ids = [here, accountOf(registry, west).id]
      for (const sender of [everySender, eastOne] as const) yield* hear(registry, { sender })
      assert.deepStrictEqual(yield* unlisted(ids), [])
      for (const key of ["1", "2"]) yield* hear(registry, { sender: stranger, key })
      yield* hear(registry, { sender: stranger, recipient: person(2) })
      yield* hear(registry, { sender: stranger, recipient: person(3), state: "opted-in" })
      const heardOf = { accountId: here, address: stranger, optedOut: 2, more: false }
      assert.deepStrictEqual(yield* unlisted(ids), [heardOf])
      yield* strangerJoins("strict", 2_000)
      assert.deepStrictEqual(yield* unlisted(ids), [])
    })
  )

  it.effect("are no such ones where another account lists their number: it has what was said to it", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry, { sender: stranger })
      const ids = [accountOf(registry, east).id]
      assert.strictEqual((yield* unlisted(ids)).length, 1)
      const elsewhere = accounts.map((one) =>
        one.name === west ? { ...one, senders: [...one.senders, stranger] } : one
      )
      const group = { ...brand, members: [...brand.members, { account: west, sender: stranger }] }
      yield* register(elsewhere, [group], "strict", 2_000)
      assert.deepStrictEqual(yield* unlisted(ids), [])
    })
  )

  it.effect("are not counted to the last of very many people", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry, { sender: stranger })
      const { query } = yield* Connection
      yield* query("test", (db) =>
        sql`insert into observation (recipient, account_id, sender_id, state, origin, basis, reach, not_before, not_after, recorded_at)
            select recipient + i, account_id, sender_id, state, origin, basis, reach, not_before, not_after, recorded_at
            from observation, generate_series(1, 12000) i`.execute(db)
      )
      const [heardOf] = yield* unlisted([accountOf(registry, east).id])
      assert.deepInclude(heardOf, { address: stranger, optedOut: 10_000, more: true })
    })
  )
})
