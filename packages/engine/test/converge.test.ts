import { assert, layer } from "@effect/vitest"
import type { OptInPolicy } from "@stopline/consent"
import { Clock, Effect, Schema } from "effect"
import { ledgerForTest } from "../../../test/database.ts"
import type { Failure } from "./fake.ts"
import {
  askerOne,
  askerTwo,
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

const senders = [listerOne, listerTwo, askerOne, askerTwo] as const
const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** Something that happens: a person texts, or somebody changes what a provider blocks behind our back. */
const Event = Schema.Struct({
  what: Schema.Literals(["STOP", "START", "block", "lift", "rejected", "trouble", "round"]),
  sender: between(0, senders.length - 1),
  who: between(1, 3),
  seconds: between(0, 90)
})
type Event = typeof Event.Type

const troubles: ReadonlyArray<Failure> = [
  { kind: "unavailable" },
  { kind: "unavailable", done: true },
  { kind: "unreadable", done: true },
  { kind: "throttled" },
  { kind: "refused" }
]

const happen = Effect.fnUntraced(function* (world: World, { seconds, sender, what, who }: Event) {
  const address = senders[sender]!
  const fake = sender < 2 ? world.lister : world.asker
  yield* pass(seconds * 1_000)
  const at = yield* Clock.currentTimeMillis
  switch (what) {
    case "STOP":
    case "START":
      yield* world.says(what, address, person(who))
      return at
    case "block":
    case "lift":
      fake[what](address, person(who))
      return at
    case "rejected":
      fake.treat(person(who), "rejected")
      return at
    case "trouble":
      for (const operation of ["list", "check", "optOut", "optIn"] as const) {
        fake.fail(operation, [troubles[seconds % troubles.length]!])
      }
      return at
    case "round":
      yield* world.round()
      return at
  }
})

interface Said extends Event {
  readonly at: number
}

/** Whether who once said STOP has since said START, later, and where it counts. */
const mayBeTexted = (said: ReadonlyArray<Said>, who: number, sender: number, policy: OptInPolicy): boolean => {
  const theirs = said.filter((one) => one.who === who)
  const stopped = Math.max(...theirs.filter((one) => one.what === "STOP").map((one) => one.at))
  return (
    stopped === -Infinity ||
    theirs.some((one) => one.what === "START" && one.at > stopped && (policy === "group" || one.sender === sender))
  )
}

const unlimited = { count: 1_000_000, share: 1 }
const unguarded = { ...testSettings.guard, optOuts: unlimited, optIns: unlimited, absences: unlimited }

layer(ledgerForTest, { excludeTestServices: true })("whatever happens", (it) => {
  it.effect.prop(
    "after plan and apply the plan is empty, and every provider holds what it must (L2, L3, L10)",
    [
      Schema.Array(Event).check(Schema.isMinLength(1), Schema.isMaxLength(12)),
      Schema.Literals(["strict", "group", "trusting"])
    ],
    ([events, policy]) =>
      Effect.gen(function* () {
        const world = yield* makeWorld({ policy, settings: { guard: unguarded } })
        const said: Array<Said> = []
        for (const event of events) said.push({ ...event, at: yield* happen(world, event) })
        for (const fake of [world.lister, world.asker]) {
          for (const n of [1, 2, 3]) fake.treat(person(n), undefined)
          for (const operation of ["list", "check", "optOut", "optIn"] as const) fake.fail(operation, [])
        }
        yield* pass("25 hours")
        yield* world.round()
        yield* pass("1 minute")
        const settled = yield* world.round()
        assert.deepStrictEqual([settled.plan.changes, settled.plan.withheld, settled.outcome], [0, 0, "completed"])
        for (const n of [1, 2, 3]) {
          const stands = yield* standings(person(n), policy)
          for (const [index, sender] of senders.entries()) {
            const holds = (index < 2 ? world.lister : world.asker).holds(sender, person(n))
            const must = stands[sender]!.startsWith("opted-out")
            if (!holds) assert.isTrue(mayBeTexted(said, n, index, policy), `${policy}: ${sender} ${n} was opted in`)
            // Where one can only ask, a block that was made before anybody was named stays unknown.
            if (must || !stands[sender]!.endsWith("unknown")) {
              assert.strictEqual(holds, must, `${policy}: ${sender} ${n}: ${stands[sender]}`)
            }
          }
        }
      }).pipe(timed),
    { arbitrary: { runs: 25 } }
  )
})
