/** A world that begins anyhow: whatever was said, whatever is known to be held, whatever can be written. */
import {
  bases,
  everySender,
  type Group,
  type Observation,
  origins,
  point,
  policies,
  type SenderAddress
} from "@stopline/consent"
import { Fleet, plan, round, type RoundOptions, writabilityOf } from "@stopline/engine"
import { Connection, digits, ingest, register } from "@stopline/ledger"
import { cannot, type ProviderAdapter } from "@stopline/provider"
import { Clock, Effect, Schema } from "effect"
import { sql } from "kysely"
import { observation } from "../../../test/world.ts"
import type { Fake } from "./fake.ts"
import {
  asker,
  askerOne,
  askerTwo,
  lister,
  listerOne,
  listerTwo,
  makeWorld,
  pass,
  person,
  testSettings
} from "./world.ts"

export const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
const State = Schema.Literals(["opted-out", "opted-in"])

const configured = [
  { account: lister, sender: listerOne },
  { account: lister, sender: listerTwo },
  { account: asker, sender: askerOne },
  { account: asker, sender: askerTwo }
]
const places = [
  ...configured,
  { account: lister, sender: everySender },
  { account: lister, sender: "+14255550199" as SenderAddress }
] as const
export const persons = [1, 2].map(person)

const Said = Schema.Struct({
  who: between(0, 1),
  place: between(0, places.length - 1),
  state: State,
  origin: Schema.Literals(origins),
  basis: Schema.Literals(bases),
  reach: Schema.Literals(["pair", "group"]),
  /** Half of it the recipient texted. */
  texted: Schema.Boolean,
  /** Most opt-ins come after most opt-outs. */
  second: between(1, 6)
})

/** What a provider is known to hold for one pair, true or not; the last place is every sender of the lister. */
const Seen = Schema.Struct({
  who: between(0, 1),
  place: between(0, 4),
  /** Mostly an opt-out. */
  held: between(0, 5),
  readAt: between(1, 9),
  liftedAt: Schema.NullOr(between(1, 9)),
  /** Whether a process died over a write of this. */
  intent: Schema.NullOr(State),
  written: Schema.NullOr(State),
  refused: between(1, 9)
})

/** Seven in eight of everything can be written. */
const Abilities = Schema.Struct({
  optOut: between(1, 8),
  optIn: between(1, 8),
  except: between(1, 8)
})

export const Start = Schema.Struct({
  said: Schema.Array(Said).check(Schema.isMinLength(4), Schema.isMaxLength(14)),
  seen: Schema.Array(Seen).check(Schema.isMinLength(3), Schema.isMaxLength(10)),
  can: Abilities,
  groups: Schema.Tuple([between(1, 2), between(1, 2), between(1, 2), between(1, 2)]),
  policy: Schema.Literals(policies),
  confirmMs: Schema.Literals([0, 600_000]),
  /** Whom the providers refuse: the first, the second, or nobody. */
  rejected: between(0, 5)
})
export type Start = typeof Start.Type

const toObservation = (begin: number, said: typeof Said.Type): Observation => ({
  ...observation({ recipient: persons[said.who]! }),
  ...places[said.place]!,
  state: said.state,
  origin: said.texted ? "recipient" : said.origin,
  basis: said.texted ? "message" : said.basis,
  reach: said.reach,
  time: point(begin + (said.second + (said.state === "opted-in" ? 4 : 0)) * 1_000)
})

/** Puts down what is known to be held, in place of what was. */
const know = Effect.fnUntraced(function* (begin: number, senderId: number, seen: typeof Seen.Type) {
  const { query } = yield* Connection
  const at = (second: number | null) => (second === null ? null : new Date(begin + second * 1_000).toISOString())
  const { intent, liftedAt, readAt, who, written } = seen
  const held = seen.held === 5 ? null : seen.held === 4 ? "opted-in" : "opted-out"
  const refused = seen.refused === 7
  const recipient = digits(persons[who]!)
  yield* query("test", (db) =>
    sql`
      insert into view (sender_id, recipient, held, read_at, asked_at, lifted_at, intent, written, written_begun_at, written_at, refused, refused_until)
      values (${senderId}, ${recipient}, ${held}, ${at(readAt)}, ${at(readAt)}, ${at(liftedAt)}, ${intent}, ${written},
        ${written && at(readAt)}, ${written && at(readAt)}, ${refused ? "no" : null}, ${refused ? at(1_000) : null})
      on conflict (sender_id, recipient) do update set held = excluded.held, lifted_at = excluded.lifted_at,
        intent = excluded.intent, written = excluded.written, refused = excluded.refused, refused_until = excluded.refused_until`.execute(
      db
    )
  )
})

const able = (fake: Fake, can: typeof Abilities.Type): ProviderAdapter => ({
  ...fake.adapter,
  write: {
    optOut: can.optOut === 5 ? cannot("it takes no opt-outs") : fake.adapter.write.optOut,
    optIn: can.optIn === 5 ? cannot("the carrier lifts its own blocks") : fake.adapter.write.optIn
  }
})

export const unlimited = { count: 1_000_000, share: 1 }

/** A world in which all of it is so, a minute later, and somebody who looks at it. */
export const begin = Effect.fnUntraced(function* (start: Start, limit: typeof unlimited) {
  const { can, confirmMs, policy } = start
  const world = yield* makeWorld({ policy, asker: can.except === 5 ? { except: askerTwo } : {} })
  const since = yield* Clock.currentTimeMillis
  const groups = [1, 2].map((n): Group => ({
    name: `group ${n}`,
    members: configured.filter((_, index) => start.groups[index] === n)
  }))
  const specs = world.fleet.stations.map(({ account: { name, senders, vendor } }) => ({
    name,
    vendor,
    senders: senders.map((sender) => sender.address)
  }))
  const registry = yield* register(specs, groups, policy, since)
  for (const said of start.said) {
    const account = registry.accounts.find((one) => one.name === places[said.place]!.account)!
    yield* ingest(account, [toObservation(since, said)], since + 10_000, 0)
  }
  const senders = registry.accounts.flatMap((account) => account.senders)
  for (const seen of start.seen) {
    const sender = senders.find((one) => one.address === places[seen.place]!.sender)
    yield* know(since, sender?.id ?? registry.accounts.find((one) => one.name === lister)!.every.id, seen)
  }
  const refused = persons[start.rejected]
  for (const fake of [world.lister, world.asker]) if (refused !== undefined) fake.treat(refused, "rejected")
  yield* pass("1 minute")
  const guard = { optOuts: limit, optIns: limit, absences: unlimited }
  const adapters = [able(world.lister, can), able(world.asker, can)]
  const fleet = Fleet.make(registry, adapters, { ...testSettings, policy, guard }, "test")
  const look = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const accounts = fleet.stations.map((one) => ({
      account: one.account,
      writability: writabilityOf(one.adapter),
      seeks: false
    }))
    return yield* plan(accounts, fleet.settings, { examples: 1_000, confirmMs }, now)
  })
  const options: RoundOptions = { sweepBudget: 0, startedBy: "test", confirmMs, read: false, write: true }
  const apply = (approve?: string) =>
    Effect.provideService(round({ ...options, ...(approve !== undefined && { approve }) }), Fleet, fleet)
  return { world, fleet, look, apply }
})
