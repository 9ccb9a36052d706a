/** Two accounts of one brand: `lister` shows its list, `asker` can only be asked. Time stands still unless a test moves it. */
import type { AccountName, Group, OptInPolicy, Recipient, SenderAddress } from "@stopline/consent"
import {
  type ApplyOptions,
  defaultSettings,
  type EngineSettings,
  Fleet,
  hearRequest,
  round,
  type RoundOptions,
  type Station
} from "@stopline/engine"
import { type Connection, history, register, type RegisteredSender } from "@stopline/ledger"
import { Clock, Effect, Fiber, Logger } from "effect"
import { TestClock } from "effect/testing"
import { empty } from "../../../test/world.ts"
import { type Fake, type FakeOptions, makeFake } from "./fake.ts"

export const lister = "lister" as AccountName
export const asker = "asker" as AccountName
export const listerOne = "+14255550101" as SenderAddress
export const listerTwo = "+14255550102" as SenderAddress
export const askerOne = "+16505550101" as SenderAddress
export const askerTwo = "+16505550102" as SenderAddress

const accounts = [
  { name: lister, vendor: "fake", senders: [listerOne, listerTwo] },
  { name: asker, vendor: "fake", senders: [askerOne, askerTwo] }
]
const brand: Group = {
  name: "brand",
  members: accounts.flatMap(({ name, senders }) => senders.map((sender) => ({ account: name, sender })))
}

export const person = (n: number): Recipient => `+1555${String(n).padStart(7, "0")}` as Recipient
export const people = (count: number, from = 1): ReadonlyArray<Recipient> =>
  Array.from({ length: count }, (_, n) => person(from + n))

/** One try, no confirmation window, no waiting. */
export const testSettings: EngineSettings = { ...defaultSettings, retries: 0, confirmMs: 0, patienceMs: 0 }

export interface WorldOptions {
  readonly lister?: FakeOptions
  readonly asker?: FakeOptions
  readonly settings?: Partial<EngineSettings>
  readonly policy?: OptInPolicy
}

export interface World {
  readonly fleet: Fleet["Service"]
  readonly lister: Fake
  readonly asker: Fake
  readonly listing: Station
  readonly asking: Station
  readonly run: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, Exclude<R, Fleet>>
  /** A round that reads and writes. */
  readonly round: (
    given?: Partial<RoundOptions>
  ) => ReturnType<typeof round> extends Effect.Effect<infer A, infer E, infer R>
    ? Effect.Effect<A, E, Exclude<R, Fleet>>
    : never
  /** A person texts, the provider calls, and it is stored. */
  readonly says: (
    words: string,
    sender: SenderAddress,
    recipient: Recipient
  ) => Effect.Effect<ReadonlyArray<number>, unknown, Connection>
}

export const makeWorld = Effect.fnUntraced(function* (options: WorldOptions = {}) {
  yield* empty
  const policy = options.policy ?? "strict"
  const settings = { ...testSettings, policy, ...options.settings }
  const now = yield* Clock.currentTimeMillis
  const registry = yield* register(accounts, [brand], policy, now)
  const fakes = {
    lister: makeFake(lister, options.lister),
    asker: makeFake(asker, { can: "check", ...options.asker })
  }
  const fleet = Fleet.make(registry, [fakes.lister.adapter, fakes.asker.adapter], settings, "test")
  const [listing, asking] = fleet.stations as readonly [Station, Station]
  const run: World["run"] = (self) => Effect.provideService(self, Fleet, fleet)
  const says: World["says"] = Effect.fnUntraced(function* (words, sender, recipient) {
    const at = yield* Clock.currentTimeMillis
    const station = [listing, asking].find((one) => senderOf(one, sender) !== undefined)!
    const fake = station === listing ? fakes.lister : fakes.asker
    const request = fake.text(sender, recipient, words, at)
    const { events } = fake.adapter
    if (events._tag !== "Can") return []
    const { ingested } = yield* run(hearRequest(station, events.port, request))
    return (ingested?.recorded ?? []).map((row) => row.recipient)
  })
  const world: World = {
    ...fakes,
    fleet,
    listing,
    asking,
    run,
    round: (given) => run(round({ ...roundOptions, ...given })),
    says
  }
  return world
})

const roundOptions: RoundOptions = {
  sweepBudget: 100,
  startedBy: "test",
  confirmMs: 0,
  read: true,
  write: true
}

/** Everything is applied: no guard stands in the way, and no evidence is waited for. */
export const everything: ApplyOptions = { heldBack: new Set(), confirmMs: 0 }

export const senderOf = (station: Station, address: SenderAddress): RegisteredSender | undefined =>
  station.account.senders.find((sender) => sender.address === address)

/** What is logged is not what is tested here, and would only hide what fails. */
export const quietly = Effect.provide(Logger.layer([]))

/** Time stands at a moment of its own, and moves when the test says so. */
export const timed = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.andThen(TestClock.setTime(Date.UTC(2026, 0, 5)), self).pipe(
    Effect.provide(TestClock.layer({ warningDelay: "1 hour" })),
    quietly
  )

export const pass = TestClock.adjust

/** Lets time go by, a tenth of a second at a time, until the work is done. */
export const inTime = Effect.fnUntraced(function* <A, E, R>(self: Effect.Effect<A, E, R>) {
  const fiber = yield* Effect.forkChild(self)
  while (fiber.pollUnsafe() === undefined) {
    yield* pass("100 millis")
    // What waits for the database needs a turn of the real clock.
    yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 1)))
  }
  return yield* Fiber.join(fiber)
})

/** What must be and what is held, by sender. */
export const standings = Effect.fnUntraced(function* (recipient: Recipient, policy: OptInPolicy = "strict") {
  const known = yield* history(recipient, policy)
  return Object.fromEntries(known.standings.map((one) => [one.sender, `${one.must} held ${one.held ?? "unknown"}`]))
})
