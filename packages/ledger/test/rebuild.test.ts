import { assert, layer } from "@effect/vitest"
import { bases, everySender, type Group, type Observation, origins, Standing } from "@stopline/consent"
import { Connection, digits, ingest, register } from "@stopline/ledger"
import { Effect, Schema } from "effect"
import { sql } from "kysely"
import { ledgerForTest } from "../../../test/database.ts"
import {
  accountOf,
  accounts,
  at,
  east,
  eastOne,
  eastTwo,
  empty,
  observation,
  person,
  stranger,
  west,
  westOne
} from "../../../test/world.ts"

const places = [
  { account: east, sender: eastOne },
  { account: east, sender: eastTwo },
  { account: west, sender: westOne },
  { account: east, sender: stranger },
  { account: east, sender: everySender }
] as const

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** Something is said, or the senders are grouped anew: each one by its number, or away. */
const Step = Schema.Union([
  Schema.Struct({
    state: Schema.Literals(["opted-out", "opted-in"]),
    origin: Schema.Literals(origins),
    basis: Schema.Literals(bases),
    reach: Schema.Literals(["pair", "group"]),
    place: between(0, places.length - 1),
    who: between(1, 2),
    second: between(1, 5)
  }),
  Schema.Struct({ groups: Schema.Tuple([between(0, 2), between(0, 2), between(0, 2), between(0, 2)]) })
])

/** Group 0 is none: the sender is not configured. */
const regroup = (numbers: ReadonlyArray<number>) => {
  const present = [eastOne, eastTwo, westOne, stranger].flatMap((sender, index) =>
    numbers[index] === 0
      ? []
      : [{ sender, account: sender === westOne ? west : east, group: `group ${numbers[index]}` }]
  )
  const groups = [1, 2].map((n): Group => ({
    name: `group ${n}`,
    members: present.filter((one) => one.group === `group ${n}`)
  }))
  const configured = accounts.map((account) => ({
    ...account,
    senders: present.filter((one) => one.account === account.name).map((one) => one.sender)
  }))
  return register(configured, groups, "strict", 1_000)
}

interface Row extends Omit<Observation, "time" | "sender" | "account" | "recipient"> {
  readonly id: number
  readonly recipient: number
  readonly senderId: number
  readonly recordedFor: number | null
  readonly memberOf: ReadonlyArray<number>
  readonly from: number
  readonly to: number
}

/** Every observation, with the groups its sender ever spoke for. */
const allSaid = Effect.gen(function* () {
  const { query } = yield* Connection
  const { rows } = yield* query("test", (db) =>
    sql<Row>`
      select o.id, o.recipient, o.sender_id as "senderId", o.group_id as "recordedFor", o.state, o.origin, o.basis, o.reach,
        o.not_before as "from", o.not_after as "to",
        coalesce(array_agg(m.group_id) filter (where m.group_id is not null), '{}') as "memberOf"
      from observation o left join membership m on m.sender_id = o.sender_id
      group by o.recipient, o.id order by o.id`.execute(db)
  )
  return rows
})

const contributionOf = (row: Row, samePair: boolean) =>
  Standing.contribution({ ...row, time: { notBefore: row.from, notAfter: row.to } }, row.id, samePair)

layer(ledgerForTest, { excludeTestServices: true })("every standing", (it) => {
  it.effect.prop(
    "can be rebuilt from observations and the groups that senders ever spoke for (L13)",
    [Schema.Array(Step).check(Schema.isMinLength(2), Schema.isMaxLength(14))],
    ([steps]) =>
      Effect.gen(function* () {
        yield* empty
        let registry = yield* regroup([1, 1, 1, 0])
        for (const step of steps) {
          if ("groups" in step) {
            registry = yield* regroup(step.groups)
            continue
          }
          const { place, second, who, ...said } = step
          const { account, sender } = places[place]!
          const fact = observation({ ...said, account, sender, recipient: person(who), time: at(second * 1_000) })
          yield* ingest(accountOf(registry, account), [fact], 100_000, 0)
        }
        const said = yield* allSaid
        const { query } = yield* Connection
        const standings = yield* query("test", (db) => db.selectFrom("standing").selectAll().execute())
        for (const who of [1, 2]) {
          const theirs = said.filter((row) => row.recipient === digits(person(who)))
          for (const { id: group } of yield* query("test", (db) =>
            db.selectFrom("sender_group").select("id").execute()
          )) {
            const out = theirs
              .filter((row) => row.state === "opted-out" && row.memberOf.includes(group))
              .map((row) => contributionOf(row, false).out)
              .reduce(Standing.later, undefined)
            const groupIn = theirs
              .filter((row) => row.state === "opted-in" && row.recordedFor === group)
              .map((row) => contributionOf(row, false).groupIn)
              .reduce(Standing.later, undefined)
            const kept = standings.find((row) => row.group_id === group && row.recipient === digits(person(who)))
            assert.deepStrictEqual(
              [kept?.out_at, kept?.out_because, kept?.in_at, kept?.in_because].map((value) => value ?? undefined),
              [out?.at, out?.because, groupIn?.at, groupIn?.because]
            )
          }
        }
      }),
    { arbitrary: { runs: 40 } }
  )
})
