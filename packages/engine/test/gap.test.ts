/** When events could be heard, and what is read of the time in between: looks at a subscription, and a connection that brings them. */
import { assert, layer } from "@effect/vitest"
import { attend, makeLooks } from "@stopline/engine"
import { gapsOf, lastHearing } from "@stopline/ledger"
import {
  type EventStream,
  ProviderError,
  type Span,
  type Subscription,
  type SubscriptionPort,
  Unavailable
} from "@stopline/provider"
import { Clock, Effect, Fiber } from "effect"
import { listen, type Looking } from "../src/listen.ts"
import { ledgerForTest } from "../../../test/database.ts"
import { at, observation } from "../../../test/world.ts"
import { inTime, lister, listerOne, makeWorld, pass, person, standings, timed, type World } from "./world.ts"

const minute = 60_000

/** Everything is heard but what these filters are for. */
const subscription = (id: string, ...missing: ReadonlyArray<string>): Subscription => ({
  id,
  missing: missing.map((filter) => ({ filter, reason: "no permission" }))
})

const away = new ProviderError({
  account: lister,
  operation: "subscribe",
  reason: new Unavailable({ mayHaveApplied: false }),
  detail: "away"
})

/** A provider that keeps texts, and notes of which time it is asked for them. */
const keeper = () => {
  const spans: Array<Span> = []
  const state = { subscription: subscription("one"), isAway: false }
  const missed: SubscriptionPort["missed"] = (span) =>
    Effect.suspend(() => {
      if (state.isAway) return Effect.fail(away)
      spans.push(span)
      const said = observation({ account: lister, sender: listerOne, recipient: person(1), time: at(span.until) })
      const key = { ...said, key: `message:${spans.length}` }
      return Effect.succeed({ observations: [key], problems: [], next: { _tag: "End" } as const })
    })
  const port: SubscriptionPort = { ensure: () => Effect.sync(() => state.subscription), missed }
  return { port, missed, spans, state }
}

type Keeper = ReturnType<typeof keeper>

const look = (world: World, { port }: Keeper, given: Partial<Looking> = {}) =>
  world.run(listen(world.listing, port, { url: "https://ours", unbroken: true, patienceMs: 10 * minute, ...given }))

/** Somebody has just looked for the first time: since then all is heard. */
const listening = Effect.fnUntraced(function* () {
  const world = yield* makeWorld()
  const kept = keeper()
  const since = yield* Clock.currentTimeMillis
  yield* look(world, kept)
  return { kept, since, world }
})

const heardUntil = ({ listing }: World) => Effect.map(lastHearing(listing.account.id), (last) => last?.until)

layer(ledgerForTest, { excludeTestServices: true })("a look at a subscription", (it) => {
  it.effect("vouches for the time since the last one of its process, unless an event was refused meanwhile (L10)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const kept = keeper()
      const looks = makeLooks()
      const gapAfter = Effect.fnUntraced(function* () {
        yield* pass("5 minutes")
        const looking = { url: "https://ours", patienceMs: 10 * minute }
        return (yield* world.run(looks.look(world.listing, kept.port, looking))).gap !== undefined
      })
      yield* gapAfter()
      assert.isFalse(yield* gapAfter())
      // One that fails takes nothing from what is known.
      kept.state.isAway = true
      yield* Effect.flip(gapAfter())
      kept.state.isAway = false
      assert.isFalse(yield* gapAfter())
      yield* looks.refused(world.listing.account.name)
      assert.isTrue(yield* gapAfter())
      assert.isFalse(yield* gapAfter())
    }).pipe(timed)
  )

  it.effect("reads what was texted since the one before, and somewhat more for clocks that differ (L1)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const kept = keeper()
      const began = yield* Clock.currentTimeMillis
      assert.deepInclude(yield* look(world, kept), { news: 0, gap: undefined, unread: false })
      assert.deepStrictEqual(kept.spans, [])
      yield* pass("5 minutes")
      assert.deepInclude(yield* look(world, kept), { news: 1, gap: undefined, unread: false })
      assert.deepStrictEqual(kept.spans, [{ since: began - 5 * minute, until: began + 10 * minute }])
      assert.strictEqual((yield* standings(person(1)))[listerOne], "opted-out held unknown")
    }).pipe(timed)
  )

  it.effect("that is the first, while a walk is on its way, finds a gap from its beginning on (L1)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const kept = keeper()
      yield* world.round()
      const since = yield* Clock.currentTimeMillis
      yield* pass("1 minute")
      const gap = { since, until: since + minute }
      assert.deepInclude(yield* look(world, kept), { gap, news: 1, unread: true })
      assert.deepStrictEqual(kept.spans, [{ since: since - 5 * minute, until: since + 6 * minute }])
      yield* pass("1 minute")
      yield* world.round()
      assert.deepInclude(yield* look(world, kept), { gap: undefined, unread: false })
    }).pipe(timed)
  )

  it.effect("that cannot read what was texted leaves it to the next one (L1)", () =>
    Effect.gen(function* () {
      const { kept, since: began, world } = yield* listening()
      yield* pass("5 minutes")
      kept.state.isAway = true
      assert.strictEqual((yield* Effect.flip(look(world, kept)))._tag, "ProviderError")
      assert.strictEqual(yield* heardUntil(world), began)
      yield* pass("1 minute")
      kept.state.isAway = false
      assert.deepInclude(yield* look(world, kept), { news: 1, gap: undefined })
      assert.deepInclude(kept.spans[0], { since: began - 5 * minute })
    }).pipe(timed)
  )

  it.effect("that cannot read what was texted in a gap leaves the gap to the next one (L1)", () =>
    Effect.gen(function* () {
      const { kept, since: began, world } = yield* listening()
      yield* pass("1 hour")
      kept.state.isAway = true
      yield* Effect.flip(look(world, kept, { unbroken: false }))
      assert.deepStrictEqual([yield* heardUntil(world), yield* gapsOf(world.listing.account.id)], [began, []])
      yield* pass("1 minute")
      kept.state.isAway = false
      const gap = { since: began, until: began + 61 * minute }
      assert.deepInclude(yield* look(world, kept, { unbroken: false }), { news: 1, gap, unread: true })
      assert.deepStrictEqual(kept.spans, [{ since: began - 5 * minute, until: began + 66 * minute }])
    }).pipe(timed)
  )

  it.effect("that is shown the same pages again leaves what it could not reach to the next one (L1)", () =>
    Effect.gen(function* () {
      const { kept, since: began, world } = yield* listening()
      const circle: SubscriptionPort["missed"] = (span, cursor) =>
        Effect.map(kept.missed(span, cursor), (page) => ({
          ...page,
          next: { _tag: "More", cursor: cursor === "A" ? "B" : "A" }
        }))
      const inCircles = { ...kept, port: { ...kept.port, missed: circle } }
      for (const unbroken of [true, false]) {
        yield* pass("5 minutes")
        const error = yield* Effect.flip(look(world, inCircles, { unbroken }))
        assert.strictEqual(error._tag === "ProviderError" && error.reason._tag, "Unreadable")
        assert.deepStrictEqual([yield* heardUntil(world), yield* gapsOf(world.listing.account.id)], [began, []])
      }
      // What it was shown is kept.
      assert.strictEqual((yield* standings(person(1)))[listerOne], "opted-out held unknown")
      kept.spans.length = 0
      assert.strictEqual((yield* look(world, kept)).gap, undefined)
      assert.deepInclude(kept.spans[0], { since: began - 5 * minute })
    }).pipe(timed)
  )

  for (const [what, given] of [
    ["comes too late to vouch for the time between", {}],
    ["is of a process that has lost something since", { unbroken: false, patienceMs: Infinity }]
  ] as const) {
    it.effect(`that ${what} finds a gap (L10)`, () =>
      Effect.gen(function* () {
        const { kept, since, world } = yield* listening()
        yield* pass("11 minutes")
        const gap = { since, until: since + 11 * minute }
        assert.deepInclude(yield* look(world, kept, given), { gap, unread: true })
      }).pipe(timed)
    )
  }

  it.effect("that finds another subscription finds a gap (L10)", () =>
    Effect.gen(function* () {
      const { kept, since, world } = yield* listening()
      yield* pass("1 minute")
      kept.state.subscription = subscription("two")
      assert.deepInclude(yield* look(world, kept), { gap: { since, until: since + minute }, unread: true })
    }).pipe(timed)
  )

  it.effect("of one that does not hear everything vouches for nothing: once it does, all between is a gap (L1)", () =>
    Effect.gen(function* () {
      const { kept, since, world } = yield* listening()
      yield* pass("5 minutes")
      kept.state.subscription = subscription("one", "messages")
      assert.deepInclude(yield* look(world, kept), { news: 0, gap: undefined })
      assert.strictEqual(yield* heardUntil(world), since)
      yield* pass("6 minutes")
      kept.state.subscription = subscription("one")
      assert.deepInclude(yield* look(world, kept), { gap: { since, until: since + 11 * minute }, news: 1 })
    }).pipe(timed)
  )
})

layer(ledgerForTest, { excludeTestServices: true })("a connection that brings events", (it) => {
  const attended = Effect.fnUntraced(function* (world: World, kept: Keeper, heard: Subscription) {
    const stream: EventStream = { subscription: heard, next: Effect.never }
    const port = { connect: Effect.succeed(stream), missed: kept.missed }
    const attending = { everyMs: 1_000, onReport: () => Effect.void, onEvent: () => Effect.void }
    const fiber = yield* Effect.forkChild(world.run(attend(world.listing, port, attending)))
    yield* inTime(Effect.sleep("5 seconds"))
    yield* Fiber.interrupt(fiber)
  })

  it.effect("is vouched for as long as it stands", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const began = yield* Clock.currentTimeMillis
      yield* attended(world, keeper(), subscription("one"))
      assert.isAbove((yield* heardUntil(world)) ?? 0, began)
    }).pipe(timed)
  )

  it.effect("and does not hear everything vouches for nobody, nor for the connection before it (L1)", () =>
    Effect.gen(function* () {
      const { kept, since: began, world } = yield* listening()
      yield* attended(world, kept, subscription("two", "messages"))
      assert.strictEqual(yield* heardUntil(world), began)
    }).pipe(timed)
  )
})
