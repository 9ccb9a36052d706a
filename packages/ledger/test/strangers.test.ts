/** A sender that nobody configured, as it is configured at last. */
import { assert, layer } from "@effect/vitest"
import { type AccountName, type Group } from "@stopline/consent"
import { ask, digits, register } from "@stopline/ledger"
import { Effect } from "effect"
import { ledgerForTest } from "../../../test/database.ts"
import { accounts, at, brand, east, empty, person, senderOf, stranger, west } from "../../../test/world.ts"
import { hear } from "./hearing.ts"
import { write } from "./writing.ts"

const [before, after, never] = [person(1), person(2), person(3)]

/** It joins the brand, at an account. */
const joins = (account: AccountName, now: number) => {
  const wider = accounts.map((one) => (one.name === account ? { ...one, senders: [...one.senders, stranger] } : one))
  const group: Group = { ...brand, members: [...brand.members, { account, sender: stranger }] }
  return register(wider, [group], "group", now)
}

layer(ledgerForTest, { excludeTestServices: true })("a sender that nobody configured", (it) => {
  for (const account of [east, west]) {
    it.effect(`lets nobody in by a START to the brand from before it joined it at ${account} (L3)`, () =>
      Effect.gen(function* () {
        yield* empty
        const alone = yield* register(accounts, [brand], "group", 1_000)
        for (const recipient of [before, after, never]) yield* hear(alone, { sender: stranger, recipient })
        const start = { state: "opted-in", reach: "group" } as const
        yield* hear(alone, { ...start, recipient: before, time: at(20_000) })
        const now = yield* joins(account, 30_000)
        yield* hear(now, { ...start, recipient: after, time: at(40_000) })
        const sender = senderOf(now, stranger)
        const everyId = now.accounts.find(({ name }) => name === account)!.every.id
        const known = yield* ask([{ id: sender.id, everyId }], [before, after, never].map(digits), "group")
        assert.deepStrictEqual(
          known.map(({ out, silencedBefore }) => out || silencedBefore),
          [true, false, true]
        )
        yield* write(now, stranger, before, { policy: "group", begun: 50_000, ended: 50_100 })
        const letIn = { state: "opted-in", policy: "group", begun: 60_000, ended: 60_100 } as const
        assert.isFalse(yield* write(now, stranger, before, letIn))
      })
    )
  }
})
