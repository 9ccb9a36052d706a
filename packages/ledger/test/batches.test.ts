import { assert, layer } from "@effect/vitest"
import {
  everySender,
  type Group,
  type Observation,
  type OptInPolicy,
  origins,
  policies,
  type Recipient,
  Standing,
  toldOf
} from "@stopline/consent"
import { Connection, digits, ingest, type Registry } from "@stopline/ledger"
import { Effect, Schema } from "effect"
import { sql } from "kysely"
import { ledgerForTest } from "../../../test/database.ts"
import {
  accountOf,
  east,
  eastOne,
  eastTwo,
  factualBases,
  fresh,
  observation,
  person,
  stranger,
  west,
  westOne
} from "../../../test/world.ts"
import { mustBeOut } from "../src/must.ts"

const configured = [
  { account: east, sender: eastOne },
  { account: east, sender: eastTwo },
  { account: west, sender: westOne }
]
const places = [
  ...configured,
  { account: east, sender: stranger },
  { account: east, sender: everySender },
  { account: west, sender: everySender }
] as const

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const Said = Schema.Struct({
  who: between(1, 2),
  place: between(0, places.length - 1),
  state: Schema.Literals(["opted-out", "opted-in"]),
  origin: Schema.Literals(origins),
  basis: Schema.Literals(factualBases),
  reach: Schema.Literals(["pair", "group"]),
  at: between(1, 3),
  width: between(0, 2),
  /** One fact in six has no known beginning, one no known end. */
  edge: between(0, 5),
  /** A fact that was told before may be told again, in other words. None: a change found by reading. */
  key: Schema.UndefinedOr(between(1, 8)),
  /** Half of it the recipient texted. */
  texted: Schema.Boolean,
  /** One fact in four ends its request. */
  last: between(0, 3)
})
type Said = typeof Said.Type

const toObservation = (said: Said): Observation => ({
  ...observation({ recipient: person(said.who) }),
  ...places[said.place]!,
  state: said.state,
  origin: said.texted ? "recipient" : said.origin,
  basis: said.texted ? "message" : said.basis,
  reach: said.reach,
  time: {
    notBefore: said.edge === 4 ? Number.NEGATIVE_INFINITY : said.at * 1_000,
    notAfter: said.edge === 5 ? Number.POSITIVE_INFINITY : (said.at + said.width) * 1_000
  },
  key: said.key === undefined ? null : `fact:${said.key}`
})

interface Fact {
  readonly id: number
  readonly observation: Observation
}

/** Stores what was said in requests of one fact or many, account by account, and says what became a row. */
const hearAll = Effect.fnUntraced(function* (registry: Registry, said: ReadonlyArray<Said>) {
  const facts: Array<Fact> = []
  let waiting: Array<Observation> = []
  const send = Effect.gen(function* () {
    for (const account of registry.accounts) {
      const request = waiting.filter((one) => one.account === account.name)
      const { recorded } = yield* ingest(accountOf(registry, account.name), request, heardAt, 0)
      facts.push(...recorded.map(({ id, observation }) => ({ id, observation })))
    }
    waiting = []
  })
  for (const one of said) {
    waiting.push(toObservation(one))
    if (one.last === 3) yield* send
  }
  yield* send
  return facts
})

const heardAt = 100_000

/** The first telling of each fact: a fact is known by its account, its recipient and its key. Nothing happened after it was told. */
const firstTold = (said: ReadonlyArray<Said>): ReadonlyArray<Observation> => {
  const seen = new Set<string>()
  const first = said.map(toObservation).filter(({ account, key, recipient }) => {
    const fact = `${account} ${recipient} ${key}`
    if (key !== null && seen.has(fact)) return false
    seen.add(fact)
    return true
  })
  return first.map((one) => ({ ...one, time: toldOf(one.state, one.time, heardAt) }))
}

interface Groups {
  readonly groupOf: ReadonlyArray<number>
  readonly groups: ReadonlyArray<Group>
}

const grouped = (groupOf: ReadonlyArray<number>): Groups => ({
  groupOf,
  groups: [1, 2].map((n) => ({
    name: `group ${n}`,
    members: configured.filter((_, index) => groupOf[index] === n)
  }))
})

/** The standing of a pair, folded by the domain from what reaches it. */
const lawFor = (facts: ReadonlyArray<Fact>, { groupOf }: Groups, index: number, recipient: Recipient) => {
  const pair = configured[index]!
  return facts
    .filter(({ observation }) => observation.recipient === recipient)
    .filter(({ observation: { account, sender, state } }) => {
      const said = configured.findIndex((one) => one.account === account && one.sender === sender)
      if (said !== -1) return groupOf[said] === groupOf[index]
      // Every sender of an account speaks for each group that one of them speaks for; a stranger for none.
      // An opt-in said to every sender was said to nobody in particular.
      return (
        sender === everySender &&
        state === "opted-out" &&
        configured.some((one, other) => one.account === account && groupOf[other] === groupOf[index])
      )
    })
    .map(({ id, observation }) =>
      Standing.contribution(observation, id, observation.account === pair.account && observation.sender === pair.sender)
    )
    .reduce(Standing.join, Standing.empty)
}

type Register = "out" | "in" | "said" | "told"
type Row = { readonly pair: string } & Record<`${Register}_at` | `${Register}_because`, number | null> &
  Record<OptInPolicy, boolean>

/** What the ledger keeps for every configured pair. */
const stored = Effect.gen(function* () {
  const { query } = yield* Connection
  const { rows } = yield* query("test", (db) =>
    sql<Row>`
      select a.name || '/' || s.address || ' ' || p.recipient as pair, st.out_at, st.out_because, st.in_at, st.in_because,
        o.said_at, o.said_because, o.told_at, o.told_because,
        ${mustBeOut("strict")} as strict, ${mustBeOut("group")} as group, ${mustBeOut("trusting")} as trusting
      from sender s join account a on a.id = s.account_id
      cross join unnest(${[1, 2].map((n) => digits(person(n)))}::bigint[]) as p(recipient)
      left join standing st on st.group_id = s.group_id and st.recipient = p.recipient
      left join opt_in o on o.sender_id = s.id and o.recipient = p.recipient
      where s.active`.execute(db)
  )
  return rows.map((row) => ({
    pair: row.pair,
    out: [row.out_at, row.out_because],
    group: [row.in_at, row.in_because],
    said: [row.said_at, row.said_because],
    told: [row.told_at, row.told_because],
    must: policies.map((policy) => row[policy])
  }))
})

const registerOf = (register: Standing.Register | undefined) => [register?.at ?? null, register?.because ?? null]

const lawsFor = (facts: ReadonlyArray<Fact>, groups: Groups) =>
  [1, 2].flatMap((n) =>
    configured.map(({ account, sender }, index) => {
      const law = lawFor(facts, groups, index, person(n))
      return {
        pair: `${account}/${sender} ${digits(person(n))}`,
        out: registerOf(law.out),
        group: registerOf(law.groupIn),
        said: registerOf(law.pairIn),
        told: registerOf(law.toldIn),
        must: policies.map((policy) => Standing.mustBeOptedOut(law, policy))
      }
    })
  )

const byPair = <A extends { readonly pair: string }>(rows: ReadonlyArray<A>) =>
  rows.toSorted((a, b) => (a.pair < b.pair ? -1 : 1))

layer(ledgerForTest, { excludeTestServices: true })("standings", (it) => {
  it.effect.prop(
    "are the fold of the domain, of all that was said to anybody, in any requests and told twice (L4, L11, L13)",
    [
      Schema.Array(Said).check(Schema.isMinLength(1), Schema.isMaxLength(20)),
      Schema.Tuple([between(1, 2), between(1, 2), between(1, 2)])
    ],
    ([said, groupOf]) =>
      Effect.gen(function* () {
        const groups = grouped(groupOf)
        const registry = yield* fresh("strict", groups.groups)
        const facts = yield* hearAll(registry, said)
        const sorted = (all: ReadonlyArray<Observation>) => all.map((one) => JSON.stringify(one)).toSorted()
        assert.deepStrictEqual(sorted(facts.map((fact) => fact.observation)), sorted(firstTold(said)))
        assert.deepStrictEqual(byPair(yield* stored), byPair(lawsFor(facts, groups)))
      }),
    { arbitrary: { runs: 80, size: 100 } }
  )
})
