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

  it.effect("joins its brand anew after it stood alone, and lets nobody in by a START of meanwhile (L3)", () =>
    Effect.gen(function* () {
      yield* empty
      const first = yield* register(accounts, [brand], "group", 1_000)
      yield* hear(first, { sender: stranger, recipient: never })
      yield* joins(east, 30_000)
      const wider = accounts.map((one) => (one.name === east ? { ...one, senders: [...one.senders, stranger] } : one))
      const itself: Group = { name: `${east}/${stranger}`, members: [{ account: east, sender: stranger }] }
      const alone = yield* register(wider, [brand, itself], "group", 40_000)
      yield* hear(alone, { sender: stranger, recipient: before, time: at(50_000) })
      yield* hear(alone, { state: "opted-in", reach: "group", recipient: before, time: at(60_000) })
      const now = yield* joins(east, 70_000)
      yield* write(now, stranger, before, { policy: "group", begun: 80_000, ended: 80_100 })
      const letIn = { state: "opted-in", policy: "group", begun: 90_000, ended: 90_100 } as const
      assert.isFalse(yield* write(now, stranger, before, letIn))
    })
  )

  it.effect("whose brand gets its name takes along who was let in by all of it (L11)", () =>
    Effect.gen(function* () {
      yield* empty
      const alone = yield* register(accounts, [brand], "group", 1_000)
      yield* hear(alone, { sender: stranger, recipient: after })
      const joined = yield* joins(east, 30_000)
      yield* hear(joined, { state: "opted-in", reach: "group", recipient: after, time: at(40_000) })
      const wider = accounts.map((one) =>
        one.name === east ? { ...one, senders: [stranger] } : { ...one, senders: [] }
      )
      const itself: Group = { name: `${east}/${stranger}`, members: [{ account: east, sender: stranger }] }
      const now = yield* register(wider, [itself], "group", 50_000)
      yield* write(now, stranger, after, { policy: "group", begun: 60_000, ended: 60_100 })
      const letIn = { state: "opted-in", policy: "group", begun: 70_000, ended: 70_100 } as const
      assert.isTrue(yield* write(now, stranger, after, letIn))
    })
  )
})
