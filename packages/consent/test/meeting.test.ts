/** Readings and events meet views, whatever they are. */
import { assert, describe, it } from "@effect/vitest"
import { point, View } from "@stopline/consent"
import { Arbitrary, Schema } from "effect"
import { between } from "./saying.ts"

const echoWindow = 60

const State = Schema.Literals(["opted-out", "opted-in"])
const Moment = between(0, 20)
const Duration = between(0, 5)

/** A moment, or none that anybody knows. */
const since = (moment: number): number => (moment < 0 ? Number.NEGATIVE_INFINITY : moment)
const Since = between(-5, 20)

const Known = Schema.Struct({
  held: Schema.UndefinedOr(State),
  readAt: Since,
  liftedAt: Schema.UndefinedOr(Moment),
  doubtedAt: Schema.UndefinedOr(Moment),
  intent: Schema.UndefinedOr(State),
  written: Schema.UndefinedOr(Schema.Struct({ state: State, begunAt: Moment, endedAt: Moment })),
  echoDue: Schema.Boolean
})
const AnyView = Arbitrary.map(Arbitrary.schema(Known), ({ doubtedAt, ...known }): View.View => ({
  ...known,
  ...(doubtedAt !== undefined && { doubtedAt }),
  readAt: since(known.readAt)
}))
/** Or nothing was ever known. */
const AnyViewOrNone = Arbitrary.map(Arbitrary.all([AnyView, Arbitrary.schema(between(0, 5))]), ([view, none]) =>
  none === 5 ? undefined : view
)

/** What a provider says: the answer to a question, or an event by itself. */
const Told = Schema.Struct({
  how: Schema.Literals(["reading", "dated reading", "event", "named event", "refused text"]),
  state: State,
  from: Since,
  at: Moment,
  took: Duration,
  settle: Duration
})
type Told = typeof Told.Type
/** A text is refused over a block, and over nothing else. */
const AnyTold = Arbitrary.map(Arbitrary.schema(Told), (told): Told =>
  told.how === "refused text" ? { ...told, state: "opted-out" } : told
)

const timeOf = ({ at, from }: Told) => ({ notBefore: Math.min(since(from), at), notAfter: at })

const meet = (known: View.View | undefined, told: Told): View.Meeting => {
  const { at, how, settle, state, took } = told
  if (how === "event" || how === "named event") {
    return View.meetEvent(known, state, timeOf(told), at + took, how === "named event", echoWindow)
  }
  if (how === "refused text") return View.meetRefusal(known, at, at + took, settle)
  const time = how === "dated reading" ? timeOf(told) : undefined
  return View.meetReading(known, state, time, { beganAt: at, endedAt: at + took }, settle)
}

/** The view after it. */
const after = (known: View.View | undefined, told: Told): View.View | undefined => {
  const met = meet(known, told)
  return met._tag === "Undecided" ? known : (met.view ?? known)
}

const runs = { arbitrary: { runs: 500 } }

describe("whatever the view and whatever is told", () => {
  it.prop(
    "there is an answer, and news has a time in order",
    [AnyViewOrNone, AnyTold],
    ([known, told]) => {
      const met = meet(known, told)
      assert.include(["News", "Known", "Undecided"], met._tag)
      if (met._tag === "News") assert.isAtMost(met.time.notBefore, met.time.notAfter)
      if (told.how.endsWith("event"))
        assert.notStrictEqual(met._tag, "Undecided", "what is said by itself is kept (L1)")
    },
    runs
  )

  it.prop(
    "what is held is what was told, or what it was: an unknown is never guessed (L5)",
    [AnyViewOrNone, AnyTold],
    ([known, told]) => {
      const held = after(known, told)?.held
      if (held !== told.state) assert.strictEqual(held, known?.held)
      if (meet(known, told)._tag === "Undecided") assert.strictEqual(held, known?.held)
    },
    runs
  )

  it.prop(
    "an unknown stays unknown while a write is on its way, and when the echo of one comes in (L5, L7)",
    [AnyView, State, Arbitrary.array(AnyTold)],
    ([known, intent, all]) => {
      const view = all.reduce<View.View>((view, told) => after(view, told) ?? view, {
        ...known,
        held: undefined,
        intent
      })
      assert.isUndefined(view.held)
      assert.strictEqual(view.intent, intent)
      const written = { state: intent, begunAt: 0, endedAt: 5 }
      const adopted: View.View = { ...known, held: undefined, intent: undefined, written, echoDue: true }
      const echo: Told = { how: "event", state: intent, from: 3, at: 3, took: 0, settle: 0 }
      assert.deepStrictEqual(after(adopted, echo), { ...adopted, echoDue: false })
    },
    runs
  )

  it.prop(
    "a write is never touched: neither the intent, nor what was written",
    [AnyView, AnyTold],
    ([known, told]) => {
      const view = after(known, told)
      assert.strictEqual(view?.intent, known.intent)
      assert.strictEqual(view?.written, known.written)
    },
    runs
  )
})

describe("whatever was written", () => {
  it.prop(
    "a reading that began before the write ended, or before it settled, does not contradict it (L7)",
    [AnyView, AnyTold, State, Moment, between(1, 9)],
    ([known, told, state, endedAt, early]) => {
      const written = { state, begunAt: endedAt - 1, endedAt }
      // Held, or perhaps not done: the ledger then keeps what it knew before.
      for (const held of [state, known.held]) {
        const ours: View.View = { ...known, held, intent: undefined, written }
        const span = { beganAt: endedAt + told.settle - early, endedAt: endedAt + 99 }
        const time = told.how === "dated reading" ? timeOf(told) : undefined
        const met = View.meetReading(ours, told.state, time, span, told.settle)
        assert.notStrictEqual(met._tag, "News")
        if (met._tag === "Known") assert.strictEqual(met.view?.held, held)
      }
    },
    runs
  )

  it.prop(
    "an event older than the end of the write is a fact that leaves what is held, and at most casts doubt on it (L5, L7)",
    [AnyView, State, State, between(5, 20), between(1, 5)],
    ([known, state, told, endedAt, early]) => {
      const written = { state, begunAt: endedAt - 1, endedAt }
      const ours: View.View = { ...known, held: state, readAt: endedAt, intent: undefined, written, echoDue: false }
      const met = View.meetEvent(ours, told, point(endedAt - early), endedAt + 1, false, echoWindow)
      const doubts = state === "opted-out" && told === "opted-in"
      const view = doubts ? { ...ours, doubtedAt: endedAt + 1 } : ours
      assert.deepStrictEqual(met, { _tag: "News", view, time: point(endedAt - early) })
    },
    runs
  )

  it.prop(
    "one write has one echo at most, and somebody who is named is none (L7)",
    [AnyView, Arbitrary.array(AnyTold)],
    ([known, all]) => {
      let echoes = 0
      let view: View.View | undefined = known
      for (const told of all) {
        const isEcho = told.how.endsWith("event") && meet(view, told)._tag === "Known"
        if (isEcho) {
          assert.notStrictEqual(told.how, "named event")
          echoes += 1
        }
        view = after(view, told)
      }
      assert.isAtMost(echoes, known.echoDue ? 1 : 0)
    },
    runs
  )
})

describe("a reading, whatever the view", () => {
  it.prop(
    "is news only of something else than was known, and not from before it was known (L7)",
    [AnyView, State, Moment],
    ([known, state, at]) => {
      const met = View.meetReading(known, state, undefined, { beganAt: at, endedAt: at + 1 }, 0)
      if (met._tag !== "News") return
      assert.notStrictEqual(known.held, state)
      assert.strictEqual(met.view.held, state)
      if (known.held !== undefined) assert.isAtLeast(met.view.readAt, known.readAt)
    },
    runs
  )

  it.prop(
    "again is no news (L11)",
    [AnyViewOrNone, Told, Schema.Literals(["reading", "dated reading"])],
    ([known, given, how]) => {
      const told = { ...given, how }
      const met = meet(known, told)
      if (met._tag === "News") assert.strictEqual(meet(met.view, { ...told, settle: 0 })._tag, "Known")
    },
    runs
  )
})
