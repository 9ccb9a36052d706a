/** A plan, what is written because of it, and the plan after that. */
import { assert, layer } from "@effect/vitest"
import { isPersonal, type Recipient } from "@stopline/consent"
import { Connection, settleAll } from "@stopline/ledger"
import { Effect } from "effect"
import { sql } from "kysely"
import { ledgerForTest } from "../../../test/database.ts"
import type { Fake } from "./fake.ts"
import { begin, between, persons, Start, unlimited } from "./start.ts"
import { lister, timed } from "./world.ts"

interface Written {
  readonly sender: string | undefined
  readonly recipient: Recipient
  readonly to: string
}

const line = ({ recipient, sender, to }: Written) => `${sender} ${recipient} ${to}`

/** What was asked of a provider, request by request. */
const requestsTo = (...fakes: ReadonlyArray<Fake>) =>
  fakes
    .flatMap((fake) => fake.calls)
    .flatMap(({ operation, recipients, sender }) =>
      recipients.map((recipient) =>
        line({
          sender,
          recipient,
          to: operation === "optOut" ? "opted-out" : operation === "optIn" ? "opted-in" : operation
        })
      )
    )

const unsettleAll = Effect.gen(function* () {
  const { query } = yield* Connection
  yield* query("test", (db) => sql`update standing set settled = false`.execute(db))
})

layer(ledgerForTest, { excludeTestServices: true })("whatever was said and is held", (it) => {
  it.effect.prop(
    "what is planned is written and nothing else, and then the plan is empty but for what is withheld (L8, L10)",
    [Start],
    ([start]) =>
      Effect.gen(function* () {
        const { apply, look, world } = yield* begin(start, unlimited)
        const first = yield* look
        assert.deepStrictEqual(yield* look, first)
        // Settling first, the round finds the same plan: it carries nothing out that has another digest.
        const done = yield* apply(first.digest)
        assert.strictEqual(done.plan.digest, first.digest)
        const changes = first.examples.flatMap((item) => (item._tag === "Change" ? [item] : []))
        assert.deepStrictEqual(requestsTo(world.lister, world.asker).toSorted(), changes.map(line).toSorted())
        const rejected = changes.filter((change) => change.recipient === persons[start.rejected])
        for (const change of changes) {
          if (rejected.includes(change)) continue
          const fake = change.account === lister ? world.lister : world.asker
          assert.strictEqual(fake.holds(change.sender, change.recipient), change.to === "opted-out", line(change))
        }
        const second = yield* look
        assert.deepStrictEqual([second.changes, second.withheld], [0, first.withheld + rejected.length])
        // What is settled hides nothing: the plan of all there is is the same.
        yield* settleAll(start.policy)
        yield* unsettleAll
        assert.deepStrictEqual(yield* look, second)
        assert.deepStrictEqual(
          (yield* apply()).applied.map((one) => one.optedOut + one.optedIn),
          [0, 0]
        )
      }).pipe(timed),
    { arbitrary: { runs: 30, size: 100 } }
  )

  it.effect.prop(
    "a guard holds back its own direction, whole, and never what people said themselves (L8)",
    [Start, between(0, 4)],
    ([start, count]) =>
      Effect.gen(function* () {
        const { apply, look, world } = yield* begin(start, { count, share: 0 })
        const first = yield* look
        yield* apply()
        const changes = first.examples.flatMap((item) => (item._tag === "Change" ? [item] : []))
        const goes = changes.filter(({ account, guarded, personal, to }) => {
          if (personal || (to === "opted-out" && !guarded)) return true
          const others = changes.filter((one) => one.account === account && one.to === to)
          if (to === "opted-in") return others.length <= count && others.every((one) => one.because !== undefined)
          return others.filter((one) => one.guarded).length <= count
        })
        assert.deepStrictEqual(requestsTo(world.lister, world.asker).toSorted(), goes.map(line).toSorted())
        for (const { basis, guarded, reason, to } of changes) {
          if (to === "opted-out" && reason === "opt-out" && basis !== undefined && isPersonal(basis)) {
            assert.isFalse(guarded, basis)
          }
        }
      }).pipe(timed),
    { arbitrary: { runs: 30, size: 100 } }
  )
})
