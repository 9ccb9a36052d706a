/**
 * What happens, from a seed: a list of actions, drawn beforehand, so that a run
 * that breaks a law can be made shorter by leaving actions out.
 */
import type { AccountName, Recipient, SenderAddress } from "@stopline/consent"
import type { Fault } from "@stopline/sandbox"
import type { Action, Doing } from "./action.ts"
import { type Chance, makeChance } from "./chance.ts"
import { withCrowds } from "./crowds.ts"
import { drawEnding } from "./ending.ts"
import { withJoiners } from "./joiners.ts"
import { withLooks } from "./looks.ts"
import { withReforms } from "./reform.ts"
import { withSends } from "./sends.ts"
import { mostSkew, type SimVendor, type Universe } from "./universe.ts"
import { vocabulary } from "./vocabulary.ts"

const drawFault = (chance: Chance, universe: Universe): Fault => {
  const account = chance.pick(universe.accounts)
  const common = { account: account.name, times: chance.between(1, 3) }
  // So often, or for as long as nobody repairs it.
  const lasting = chance.once(2) ? common : { account: account.name }
  const shared: ReadonlyArray<Fault> = [
    {
      ...common,
      kind: "throttle",
      form: chance.pick(["seconds", "date", "none"]),
      retryAfter: chance.pick([1, 5, 30])
    },
    { ...common, kind: "unavailable", status: chance.pick([500, 502, 503, 504]) },
    { ...common, kind: "unavailable", status: 502, applied: true },
    { ...common, kind: "html-200" },
    { ...common, kind: "html-200", applied: true },
    { ...common, kind: "hang" },
    { ...common, kind: "drop-before" },
    { ...common, kind: "drop-after-apply" },
    { ...common, kind: "item-refused" },
    { ...common, kind: "item-missing" },
    { ...common, kind: "item-missing", applied: true },
    { ...common, kind: "stale-read", ms: chance.between(1_000, 20_000) },
    { ...common, kind: "duplicate-events" },
    { ...common, kind: "lost-events" }
  ]
  const own: ReadonlyArray<Fault> =
    account.vendor === "azure"
      ? [
          { ...common, kind: "item-error" },
          { ...common, kind: "invalid-input" }
        ]
      : [
          { ...lasting, kind: "invalid-input", recipient: chance.pick(universe.people) },
          { ...common, kind: "empty-page" },
          { ...lasting, kind: "repeat-token" },
          { ...lasting, kind: "forgotten-token" },
          { ...common, kind: "short-list", times: 1 },
          { ...common, kind: "throttle", operation: "token", form: "none", times: 1 },
          { ...common, kind: "unavailable", operation: "token", status: 503, times: 1 }
        ]
  return chance.pick(chance.once(2) ? own : shared)
}

/**
 * The actions of so many rounds. In a round of the world people text, colleagues
 * work, something may go wrong, and a worker does something or nothing: what
 * webhooks bring is carried at once, and not every round of the world has a round
 * of the engine that reads.
 */
export const makeScript = (universe: Universe, rounds: number): ReadonlyArray<Action> => {
  const chance = makeChance(universe.seed, "script")
  const drawDeed = makeDeeds(chance, universe)
  const script: Array<Action> = chance.once(2) ? drawPast(chance, universe) : []
  for (let round = 0; round < rounds; round++) {
    for (let i = chance.below(4); i > 0; i--) {
      script.push(drawDeed())
      if (chance.once(3)) script.push({ do: "stir", turns: chance.below(12) })
    }
    if (chance.once(5)) script.push({ do: "fault", fault: drawFault(chance, universe) })
    if (chance.once(8)) script.push({ do: "clear" })
    if (chance.once(12)) script.push(drawMishap(chance, universe))
    if (chance.once(Math.min(rounds, 60))) script.push({ do: "join" })
    script.push(...(chance.once(20) ? drawChangeOfMind(chance, universe) : drawWork(chance, drawDeed)))
    if (chance.once(15)) {
      const { name: account, senders } = chance.pick(universe.accounts)
      const person = chance.once(2) ? { person: chance.pick(universe.people.slice(0, 6)) } : {}
      script.push({ do: "calm", account, sender: chance.pick(senders), ...person })
    }
    if (chance.once(12)) {
      // What is approved goes in several batches: one of them may get no answer that makes sense.
      const { name: account } = chance.pick(universe.accounts)
      if (chance.once(2)) script.push({ do: "fault", fault: { account, kind: "html-200", times: 1 } })
      script.push({ do: "approve" })
    }
    if (chance.once(40)) script.push({ do: "resume" })
    script.push({ do: "pass", ms: chance.pick([0, 1, 10, 300, 1_000, 30_000, 120_000, 900_000]) })
  }
  const disturbed = withCrowds(universe, withLooks(universe, withReforms(universe, withJoiners(universe, script))))
  return [...withSends(universe, disturbed), ...drawEnding(universe)]
}

/**
 * Opt-outs that a list has had for long: it fills some pages before anything
 * happens. It is read once, and then often misleads until somebody repairs it.
 */
const drawPast = (chance: Chance, { accounts, people }: Universe): Array<Action> => {
  const { name: account, senders } = chance.pick(accounts.filter(({ vendor }) => vendor === "ringcentral"))
  const sender = chance.pick(senders)
  const past = people.slice(3, chance.between(7, 13))
  const kind = chance.pick(["repeat-token", "forgotten-token"] as const)
  const round: Action = { do: "round", worker: 0, read: true }
  return [
    ...past.map((person): Action => ({ do: "edit", person, account, sender, to: "opt-out" })),
    round,
    { do: "pass", ms: 60_000 },
    ...(chance.once(3) ? [] : [{ do: "fault", fault: { account, kind } } as const, round])
  ]
}

/** What people and colleagues do, one deed after the other. */
const makeDeeds = (chance: Chance, universe: Universe): (() => Action) => {
  // Most things happen to a few people, often where the last thing happened: only then does one deed meet another.
  const few = universe.people.slice(0, 3)
  const anybody = () => chance.pick(chance.once(3) ? universe.people : few)
  const anywhere = () => {
    const { name: account, senders, vendor } = chance.pick(universe.accounts)
    return { account, sender: chance.pick(senders), vendor }
  }
  let last = { person: anybody(), ...anywhere() }
  return () => {
    const person = chance.once(3) ? last.person : anybody()
    const place = chance.once(3) ? { account: last.account, sender: last.sender, vendor: last.vendor } : anywhere()
    last = { person, ...place }
    const { vendor, ...at } = last
    return drawDeed(chance, universe, at, vendor)
  }
}

interface At {
  readonly person: Recipient
  readonly account: AccountName
  readonly sender: SenderAddress
}

const drawDeed = (chance: Chance, universe: Universe, at: At, vendor: SimVendor): Action => {
  const out = chance.once(2)
  switch (chance.below(30)) {
    case 0:
      return drawAttestation(chance, at, out ? "opted-out" : "opted-in")
    case 1:
    case 2:
      return drawFile(chance, universe, at)
    case 3:
      // What an opt-in for every sender does to the opt-outs of single ones is not known; so nobody makes one.
      return vendor === "ringcentral"
        ? { do: "edit", ...at, sender: "*", to: "opt-out" }
        : { do: "edit", ...at, to: "opt-out" }
    case 4:
    case 5:
    case 6:
      return { do: "edit", ...at, to: out ? "opt-out" : "opt-in" }
    default:
      return { do: "text", ...at, words: chance.pick(vocabulary).words }
  }
}

/** Of just now or of earlier; of all that the brand sends, or of this sender alone. */
const drawAttestation = (chance: Chance, at: At, to: Doing<"attest">["to"]): Action => {
  const ago = chance.pick([0, 0, 60_000, 3_600_000])
  return { do: "attest", ...at, to, reach: chance.pick(["pair", "group"]), ...(ago > 0 && { ago }) }
}

/** Opt-outs from elsewhere, of just now or dated hours ago; with somebody in it, at times, whom another account refuses. */
const drawFile = (chance: Chance, { people, refused }: Universe, { account, person, sender }: At): Action => {
  const others = Array.from({ length: chance.between(1, 6) }, () => chance.pick(people))
  const odd = refused !== undefined && refused.account !== account && chance.once(2) ? [refused.person] : []
  const ago = chance.pick([0, 0, 60_000, 3_600_000, 10 * 3_600_000])
  const all = [...new Set([person, ...others, ...odd])]
  return { do: "import", account, sender, people: all, ...(ago > 0 && { ago }) }
}

/** What goes wrong outside the providers. */
const drawMishap = (chance: Chance, universe: Universe): Action => {
  const worker = chance.below(2)
  switch (chance.below(universe.skewed ? 4 : 3)) {
    case 0:
      return { do: "late", times: chance.between(1, 4), ms: chance.pick([500, 5_000, 90_000, 600_000]) }
    case 1:
      return { do: "forge", person: chance.pick(universe.people) }
    case 2:
      return {
        do: "ledger",
        worker,
        when: chance.pick(["before", "after", "conflict"]),
        times: chance.between(1, 3)
      }
    default:
      return { do: "skew", worker, ms: chance.between(-mostSkew, mostSkew) }
  }
}

/**
 * Somebody who had opted out is opted in by a colleague, and says STOP again to
 * the same brand while a worker carries that out, or after one died of it or got
 * no answer; or says START while the STOP is being carried, while one lies dead that
 * was carrying it, or while a provider still answers from before it. What was planned
 * is wrong when it is written, or nobody knows what was.
 */
const drawChangeOfMind = (chance: Chance, { groups, people }: Universe): ReadonlyArray<Action> => {
  const person = chance.pick(people.slice(0, 6))
  const places = chance.pick(groups).members.map(({ account, sender }) => ({ person, account, sender }))
  const here = chance.pick(places)
  const there = chance.pick(places)
  const worker = chance.below(2)
  const stop: Action = { do: "text", ...here, words: "STOP" }
  const letIn: ReadonlyArray<Action> = [
    stop,
    { do: "stir", turns: 60 },
    { do: "pass", ms: 60_000 },
    { do: "attest", ...there, to: "opted-in" }
  ]
  switch (chance.below(8)) {
    case 0:
      return [
        stop,
        { do: "stir", turns: chance.between(4, 14) },
        { do: "text", ...there, words: "START" },
        { do: "calm", ...here }
      ]
    case 1:
      return [
        stop,
        { do: "stir", turns: 60 },
        { do: "pass", ms: 60_000 },
        { do: "late", times: 2, ms: 20_000 },
        { do: "fault", fault: { kind: "stale-read", account: there.account, times: 1, ms: 10_000 } },
        { do: "text", ...there, words: "START" },
        { do: "round", worker, read: true },
        { do: "calm", ...here }
      ]
    case 2:
      return [
        stop,
        { do: "kill", worker, after: chance.below(40) },
        { do: "text", ...there, words: "START" },
        { do: "stir", turns: 40 }
      ]
    case 3:
      return [
        ...letIn,
        { do: "fault", fault: { kind: "drop-after-apply", account: there.account, times: 3 } },
        { do: "round", worker, read: false },
        { do: "calm", ...here }
      ]
    case 4:
      return [
        ...letIn,
        { do: "begin", worker, read: false },
        { do: "stir", turns: 40, toWrite: true },
        // Its first write is done or not by then.
        { do: "kill", worker, after: chance.below(6) },
        { do: "calm", ...here }
      ]
    case 5:
      return [...letIn, { do: "calm", ...here, during: { worker, after: chance.below(5) } }]
    default:
      return [
        ...letIn,
        // While a write waits out a penalty, much can be said.
        ...(chance.once(3)
          ? ([
              {
                do: "fault",
                fault: { kind: "throttle", account: there.account, times: 1, form: "seconds", retryAfter: 30 }
              }
            ] as const)
          : []),
        { do: "begin", worker, read: false },
        { do: "stir", turns: chance.below(30) },
        stop,
        { do: "finish" }
      ]
  }
}

/** What the workers do. */
const drawWork = (chance: Chance, drawDeed: () => Action): ReadonlyArray<Action> => {
  const worker = chance.below(2)
  const read = chance.once(2)
  switch (chance.below(20)) {
    case 0:
      return [{ do: "kill", worker, after: chance.below(60) }]
    case 1:
      return [{ do: "freeze", worker, after: chance.below(60), ms: chance.pick([1_000, 70_000, 200_000]) }]
    case 2:
      return [{ do: "both" }]
    case 3:
    case 4:
    case 5:
      return [
        { do: "begin", worker, read },
        { do: "stir", turns: chance.below(40) },
        drawDeed(),
        { do: "stir", turns: chance.below(20) },
        drawDeed(),
        { do: "finish" }
      ]
    case 6:
    case 7:
    case 8:
    case 9:
    case 10:
    case 11:
      return [{ do: "round", worker, read }]
    default:
      return [{ do: "stir", turns: 40 }]
  }
}
