/**
 * Every way in which the sandbox can go wrong, once and for good, while a whole
 * round is under way. The round ends as it would have without, or with an error
 * or a halt that has a name. Never is anybody opted in who did not ask for it,
 * and when the fault is gone the next rounds mend what is left.
 */
import { describe, expect, it } from "@effect/vitest"
import type { Recipient } from "@stopline/consent"
import { backfill, Fleet, round, type RoundReport } from "@stopline/engine"
import { clearHalts } from "@stopline/ledger"
import type { Fault } from "@stopline/sandbox"
import { Clock, Context, Effect, Layer, Logger, Stream } from "effect"
import { loadConfig, open, withEnvironment } from "../src/index.ts"
import { acmeSender, azure, azureSenders, makeWorld, ringcentral, shortCode, tenDlc, type World } from "./world.ts"

type WithoutAccount<F> = F extends Fault ? Omit<F, "account"> : never
type AnyFault = WithoutAccount<Fault>

const anywhere: ReadonlyArray<AnyFault> = [
  { kind: "throttle", form: "none" },
  { kind: "throttle", form: "seconds", retryAfter: 0 },
  { kind: "throttle", form: "date", retryAfter: 0 },
  { kind: "unavailable", status: 500 },
  { kind: "unavailable", status: 502, big: true },
  { kind: "unavailable", status: 503, applied: true },
  { kind: "html-200" },
  { kind: "html-200", applied: true },
  { kind: "hang" },
  { kind: "hang", applied: true },
  { kind: "slow", ms: 100 },
  { kind: "drop-before" },
  { kind: "drop-after-apply" },
  { kind: "item-refused" },
  { kind: "item-missing" },
  { kind: "item-missing", applied: true },
  { kind: "stale-read", ms: 60_000 }
]

const faults: Readonly<Record<string, ReadonlyArray<AnyFault>>> = {
  [azure]: [...anywhere, { kind: "item-error" }, { kind: "item-error", applied: true }, { kind: "invalid-input" }],
  [ringcentral]: [
    ...anywhere,
    { kind: "throttle", operation: "token", form: "none" },
    { kind: "unavailable", operation: "token" },
    { kind: "html-200", operation: "token" },
    { kind: "empty-page" },
    { kind: "repeat-token" },
    { kind: "forgotten-token" },
    { kind: "short-list" }
  ]
}

/** A round as a schedule runs it, with so many second tries. */
const roundWith = (retries: number) =>
  Effect.updateService(
    round({ read: true, write: true, sweepBudget: 1_000, startedBy: "test", confirmMs: 0 }),
    Fleet,
    (fleet) => ({ ...fleet, settings: { ...fleet.settings, retries } })
  )

const heldNow = Effect.fnUntraced(function* ({ sandbox }: World) {
  const states = [yield* sandbox.state(azure), yield* sandbox.state(ringcentral)]
  return new Set(
    states.flatMap(({ senders }) => senders.flatMap((one) => one.optedOut.map((to) => `${one.sender} ${to}`)))
  )
})

/** A quiet morning, and then what nobody told us: five new opt-outs, and two blocks that somebody lifted. */
const prepare = Effect.fnUntraced(function* (everyAccount: string) {
  const world = yield* makeWorld({ people: 40, optedOut: 12, everyAccount })
  const { people, edit, state } = world.sandbox
  const listed = (yield* state(ringcentral)).senders.flatMap(({ optedOut }) => optedOut)
  const others = people.filter((person) => !listed.includes(person))
  const config = yield* loadConfig(world.file)
  const context = yield* Effect.provide(Layer.build(open(config, "test")), withEnvironment(world.environment))
  const { stations } = Context.get(context, Fleet)
  for (const station of stations) {
    const recipients = () => Stream.fromIterable(people as ReadonlyArray<Recipient>)
    yield* Effect.provide(backfill(station, { startedBy: "test", recipients }), context)
  }
  expect((yield* Effect.provide(roundWith(0), context)).outcome).toBe("completed")
  const [first = "", second = ""] = listed
  yield* edit({ account: ringcentral, sender: acmeSender, action: "opt-out", recipients: others.slice(0, 3) })
  yield* edit({ account: azure, sender: tenDlc, action: "opt-out", recipients: others.slice(3, 5) })
  yield* edit({ account: azure, sender: shortCode, action: "opt-in", recipients: [first] })
  yield* edit({ account: ringcentral, sender: acmeSender, action: "opt-in", recipients: [second] })
  return { world, context, silenced: [...listed, ...others.slice(0, 5)].toSorted() }
})

const standingsOf = ({ sql }: World) =>
  Effect.map(sql<{ recipient: string }>("select recipient from standing where out_at is not null"), (rows) =>
    rows.map(({ recipient }) => `+${recipient}`).toSorted()
  )

/** What stopped a round, in its own words. */
const reasons = (report: RoundReport): ReadonlyArray<string> => [
  ...report.reads.flatMap(({ error }) => (error === undefined ? [] : [error.message])),
  ...report.applied.flatMap(({ errors }) => errors.map((error) => error.message)),
  ...report.halts
]

/** Whether a round says by itself that something is missing. */
const saysSo = (report: RoundReport): boolean =>
  reasons(report).length > 0 ||
  report.plan.withheld > 0 ||
  report.applied.some(({ rejected, retryable }) => rejected + retryable > 0) ||
  report.reads.some(
    ({ sweeps, walks }) => sweeps.some(({ unanswered }) => unanswered > 0) || walks.some(({ problems }) => problems > 0)
  )

/** An old answer looks like a new one, so nobody can tell. */
const undetectable = (fault: AnyFault): boolean => fault.kind === "stale-read"

/** The pairs of these people with every sender. */
const everywhere = (people: ReadonlyArray<string>) =>
  people.flatMap((person) => [...azureSenders, acmeSender].map((sender) => `${sender} ${person}`)).toSorted()

const strike = Effect.fnUntraced(
  function* (account: string, fault: AnyFault, forGood: boolean) {
    const { context, silenced, world } = yield* prepare(fault.kind === "hang" ? "timeout: 1 second" : "")
    const before = yield* heldNow(world)
    yield* world.sandbox.fault({ ...fault, account, ...(!forGood && { times: 1 }) })
    const report = yield* Effect.provide(roundWith(forGood ? 0 : 1), context)
    const what = `${account} ${JSON.stringify(fault)} ${forGood ? "for good" : "once"}: ${report.outcome} ${reasons(report).join("; ")}`

    const held = yield* heldNow(world)
    expect([what, [...before].filter((pair) => !held.has(pair))]).toEqual([what, []])
    const standings = yield* standingsOf(world)
    expect([what, standings.filter((person) => !silenced.includes(person))]).toEqual([what, []])
    if (!saysSo(report) && !undetectable(fault)) {
      expect([what, standings, [...held].toSorted()]).toEqual([what, silenced, everywhere(silenced)])
    }

    yield* world.sandbox.clearFaults()
    yield* Effect.provide(mend, context)
    expect([what, yield* standingsOf(world)]).toEqual([what, silenced])
    // Whom a provider refused is left alone for a day, and told of.
    const refused = yield* world.sql<{ pair: string }>(
      "select s.address || ' +' || v.recipient as pair from view v join sender s on s.id = v.sender_id where refused is not null"
    )
    const reached = new Set([...(yield* heldNow(world)), ...refused.map(({ pair }) => pair)])
    expect([what, [...reached].toSorted()]).toEqual([what, everywhere(silenced)])
  },
  Effect.scoped,
  Effect.provide(Logger.layer([]))
)

/** A person clears what is halted, and rounds go on until one has read everything and finds nothing to do. */
const mend = Effect.gen(function* () {
  for (let again = 0; again < 4; again++) {
    yield* clearHalts({}, "Ada Lovelace", yield* Clock.currentTimeMillis)
    const { halts, outcome, plan } = yield* roundWith(0)
    if (outcome === "completed" && plan.changes + halts.length === 0) return
  }
  expect("rounds").toBe("quiet")
})

describe.concurrent("a round", () => {
  for (const [account, list] of Object.entries(faults)) {
    for (const kind of new Set(list.map((fault) => fault.kind))) {
      it.live(`with ${kind} at ${account}`, () =>
        Effect.forEach(
          list.filter((fault) => fault.kind === kind),
          (fault) => Effect.andThen(strike(account, fault, false), strike(account, fault, true)),
          { concurrency: 3, discard: true }
        )
      )
    }
  }
})
