import { assert, layer } from "@effect/vitest"
import { type Interval, point } from "@stopline/consent"
import { attest, type Attestation, Fleet } from "@stopline/engine"
import { history, register } from "@stopline/ledger"
import { Clock, Effect } from "effect"
import { ledgerForTest } from "../../../test/database.ts"
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
  standings,
  testSettings,
  timed,
  type World
} from "./world.ts"

const one = person(1)

const said = (given: Partial<Attestation> = {}): Attestation => ({
  sender: listerOne,
  recipient: one,
  state: "opted-out",
  reach: "pair",
  by: "Jane Doe",
  how: "phone call",
  ...given
})

const attested = (world: World, given: Partial<Attestation> = {}) => world.run(attest(said(given)))
const refusal = (world: World, given: Partial<Attestation>) =>
  Effect.map(Effect.flip(attested(world, given)), ({ message }) => message)

const observations = Effect.map(history(one, "strict"), (known) => known.observations)
const musts = Effect.map(standings(one), (held) =>
  Object.fromEntries(Object.entries(held).map(([sender, text]) => [sender, text.split(" ")[0]]))
)
const everywhere = (state: string) => ({
  [listerOne]: state,
  [listerTwo]: state,
  [askerOne]: state,
  [askerTwo]: state
})

layer(ledgerForTest, { excludeTestServices: true })("a named person's attestation", (it) => {
  it.effect("of an opt-out silences the whole group, says because of what, and who is behind it (L2, L13)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const now = yield* Clock.currentTimeMillis
      const told = yield* attested(world, { by: " Jane Doe ", note: "was angry" })
      const [row] = yield* observations
      assert.deepInclude(row, {
        account: lister,
        origin: "operator",
        basis: "attested",
        notBefore: now,
        notAfter: now,
        evidence: { attestedBy: "Jane Doe", note: "phone call: was angry" }
      })
      const stand = { must: "opted-out" as const, because: row!.id, since: now, why: "opted-out" as const }
      assert.deepStrictEqual(told, {
        account: lister,
        group: "brand",
        repeated: false,
        stands: [
          { account: lister, sender: listerOne, ...stand },
          { account: asker, sender: askerOne, ...stand },
          { account: asker, sender: askerTwo, ...stand },
          { account: lister, sender: listerTwo, ...stand }
        ]
      })
      assert.deepStrictEqual(yield* standings(one), everywhere("opted-out held unknown"))
    }).pipe(timed)
  )

  it.effect("of an opt-out is carried by a round that may carry nothing found in bulk (L8)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({
        settings: { guard: { ...testSettings.guard, optOuts: { count: 0, share: 0 } } }
      })
      yield* attested(world)
      assert.strictEqual((yield* world.round({ read: false })).outcome, "completed")
      assert.isTrue(world.asker.holds(askerTwo, one))
    }).pipe(timed)
  )

  it.effect("of an opt-in, later than the opt-out, lifts that pair and no other (L3)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.says("STOP", listerOne, one)
      yield* pass("1 minute")
      const now = yield* Clock.currentTimeMillis
      const { stands } = yield* attested(world, { state: "opted-in" })
      const [{ must, since }, ...rest] = stands
      assert.deepStrictEqual([must, since], ["opted-in", now])
      assert.deepStrictEqual(
        rest.map((other) => other.must),
        ["opted-out", "opted-out", "opted-out"]
      )
      assert.deepStrictEqual(yield* musts, { ...everywhere("opted-out"), [listerOne]: "opted-in" })
    }).pipe(timed)
  )

  it.effect(
    "of an opt-in for the group lifts all of it under the policy group, and only its pair under strict (L3)",
    () =>
      Effect.gen(function* () {
        for (const policy of ["group", "strict"] as const) {
          const world = yield* makeWorld({ policy })
          yield* world.says("STOP", askerOne, one)
          yield* pass("1 minute")
          const pair = yield* attested(world, { state: "opted-in" })
          assert.deepStrictEqual(
            pair.stands.map((stand) => stand.must),
            ["opted-in", "opted-out", "opted-out", "opted-out"]
          )
          const { stands } = yield* attested(world, { state: "opted-in", reach: "group" })
          const rest = policy === "group" ? "opted-in" : "opted-out"
          assert.deepStrictEqual(
            stands.map((stand) => stand.must),
            ["opted-in", rest, rest, rest]
          )
        }
      }).pipe(timed)
  )

  it.effect("of an opt-in that may have come before the opt-out lifts nothing (L4)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const noon = yield* Clock.currentTimeMillis
      const minute: Interval = { notBefore: noon, notAfter: noon + 59_999 }
      yield* pass("30 seconds")
      yield* world.says("STOP", listerOne, one)
      yield* pass("1 minute")
      const { stands } = yield* attested(world, { state: "opted-in", time: minute })
      assert.strictEqual(stands[0].must, "opted-out")
      const later = yield* attested(world, { state: "opted-in", time: point(noon + 30_001) })
      assert.strictEqual(later.stands[0].must, "opted-in")
    }).pipe(timed)
  )

  it.effect("of this very minute reaches no further than now (L4)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const now = yield* Clock.currentTimeMillis
      yield* attested(world, { time: { notBefore: now - 1, notAfter: now + 59_999 } })
      assert.deepInclude((yield* observations)[0], { notBefore: now - 1, notAfter: now })
    }).pipe(timed)
  )

  it.effect("twice is one row; of another time, state, reach or author it is another (L11)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const time = point(yield* Clock.currentTimeMillis)
      const first = yield* attested(world, { time })
      yield* pass("1 hour")
      const again = yield* attested(world, { time })
      assert.deepStrictEqual([again.repeated, again.stands], [true, first.stands])
      assert.strictEqual((yield* observations).length, 1)
      const others: ReadonlyArray<Partial<Attestation>> = [
        { time: point(time.notAfter + 1) },
        { state: "opted-in" },
        { state: "opted-in", reach: "group" },
        { by: "John Roe" },
        { how: "letter" },
        { sender: listerTwo }
      ]
      for (const other of others) assert.isFalse((yield* attested(world, { time, ...other })).repeated)
      assert.strictEqual((yield* observations).length, 7)
    }).pipe(timed)
  )

  it.effect("that nobody signs, or of the future, is refused, and nothing is stored (L3)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const soon = point((yield* Clock.currentTimeMillis) + 1)
      assert.include(yield* refusal(world, { by: " " }), "needs the name")
      assert.include(yield* refusal(world, { how: "" }), "says how")
      assert.include(yield* refusal(world, { time: soon }), "lies in the future; give the time")
      assert.deepStrictEqual(yield* observations, [])
    }).pipe(timed)
  )

  it.effect(
    "about a sender that nobody has, or two accounts have, is refused with the cure and no number in full (L14)",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const swapped = yield* refusal(world, { sender: person(1) as never })
        assert.strictEqual(swapped, "+1555•••0001 is no sender of lister, asker; `stopline doctor` lists the senders")
        const { senders } = world.listing.account
        const twin = { ...world.asking, account: { ...world.asking.account, senders } }
        const fleet = { ...world.fleet, stations: [world.listing, twin] }
        const withTwin = (given: Partial<Attestation>) => Effect.provideService(attest(said(given)), Fleet, fleet)
        const { message } = yield* Effect.flip(withTwin({}))
        assert.strictEqual(message, "+1425•••0101 is a sender of lister, asker; say which with --account")
        assert.deepStrictEqual(yield* observations, [])
        assert.strictEqual((yield* withTwin({ account: lister })).account, lister)
      }).pipe(timed)
  )

  it.effect("an opt-out of today counts again when it is told again after a START of today (L1, L4)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const day = 24 * 3_600_000
      const now = yield* Clock.currentTimeMillis
      const midnight = now - (now % day)
      const today = { notBefore: midnight, notAfter: midnight + day - 1 }
      yield* attested(world, { time: today })
      yield* pass("1 hour")
      yield* world.says("START", listerOne, one)
      yield* pass("1 hour")
      const { repeated, stands } = yield* attested(world, { time: today })
      assert.deepInclude({ repeated, must: stands[0].must }, { repeated: false, must: "opted-out" })
    }).pipe(timed)
  )

  it.effect("at a sender that another process has just configured away is stored, and says so (L1)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const accounts = [{ name: asker, vendor: "fake", senders: [askerOne] }]
      const groups = [{ name: "brand", members: [{ account: asker, sender: askerOne }] }]
      yield* register(accounts, groups, "strict", yield* Clock.currentTimeMillis)
      assert.include(yield* refusal(world, {}), "it is stored, but")
      assert.deepStrictEqual(yield* musts, { [askerOne]: "opted-out" })
    }).pipe(timed)
  )
})
