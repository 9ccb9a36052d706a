import { assert, describe, it } from "@effect/vitest"
import { by, type ConsentState, point, View } from "@stopline/consent"

const settle = 30
const echoWindow = 60

/** A provider known at 100 to hold what is given. */
const view = (given: Partial<View.View> = {}): View.View => ({
  ...View.unknown,
  held: "opted-out",
  readAt: 100,
  ...given
})

const written = (state: ConsentState, endedAt: number): Pick<View.View, "written" | "echoDue"> => ({
  written: { state, begunAt: endedAt - 5, endedAt },
  echoDue: true
})

const read = (known: View.View | undefined, state: ConsentState, beganAt: number) =>
  View.meetReading(known, state, undefined, { beganAt, endedAt: beganAt + 10 }, settle)

const event = (known: View.View | undefined, state: ConsentState, at: number, receivedAt = at, named = false) =>
  View.meetEvent(known, state, point(at), receivedAt, named, echoWindow)

const viewAfter = (met: View.Meeting): View.View => {
  assert.notStrictEqual(met._tag, "Undecided")
  return met._tag === "Undecided" ? View.unknown : (met.view ?? View.unknown)
}

describe("a reading", () => {
  it("of a pair never seen is news when it is an opt-out, of any age", () =>
    assert.deepStrictEqual(read(undefined, "opted-out", 200), {
      _tag: "News",
      view: view({ readAt: 200 }),
      time: by(210)
    }))

  it("of a pair never seen that is not opted out is the ordinary state of the world", () =>
    assert.deepStrictEqual(read(undefined, "opted-in", 200), {
      _tag: "Known",
      view: view({ held: "opted-in", readAt: 200 })
    }))

  it("of a pair never seen that is opted in since a time the provider names is news", () =>
    assert.deepStrictEqual(
      View.meetReading(undefined, "opted-in", point(150), { beganAt: 200, endedAt: 210 }, settle),
      { _tag: "News", view: view({ held: "opted-in", readAt: 200 }), time: point(150) }
    ))

  it("ends the doubt about a block, unless it may be a copy from before the opt-in that may have lifted it (L5)", () => {
    const ours = view({ readAt: 150, ...written("opted-out", 150) })
    const doubted = { ...ours, doubtedAt: 170 }
    assert.isTrue(View.isInDoubt(doubted))
    for (const state of ["opted-out", "opted-in"] as const)
      assert.deepStrictEqual(read(doubted, state, 170 + settle - 1), { _tag: "Undecided" })
    assert.deepStrictEqual(read(doubted, "opted-out", 170 + settle), {
      _tag: "Known",
      view: { ...ours, readAt: 170 + settle }
    })
    const gone = read(doubted, "opted-in", 170 + settle)
    assert.isTrue(gone._tag === "News" && !View.isInDoubt(gone.view))
  })

  it("of what was known is not news, and refreshes it", () => {
    assert.deepStrictEqual(read(view({ liftedAt: 50 }), "opted-out", 200), {
      _tag: "Known",
      view: view({ liftedAt: 50, readAt: 200 })
    })
    assert.deepStrictEqual(read(view(), "opted-out", 90), { _tag: "Known", view: view() })
  })

  it("says nothing of a write that may have been done, unless it is no copy from before it (L5, L7)", () => {
    const doubted = view({ ...written("opted-in", 150) })
    assert.isTrue(View.isInDoubt(doubted))
    assert.isTrue(View.isInDoubt(view({ intent: "opted-in" })))
    assert.isFalse(View.isInDoubt(view(written("opted-in", 100))))
    for (const state of ["opted-out", "opted-in"] as const)
      assert.deepStrictEqual(read(doubted, state, 150 + settle - 1), { _tag: "Undecided" })
    const met = read(doubted, "opted-out", 150 + settle)
    assert.deepStrictEqual(met, { _tag: "Known", view: { ...doubted, readAt: 150 + settle } })
    assert.isFalse(met._tag === "Known" && View.isInDoubt(met.view!))
  })

  it("of something else happened between the last reading and this one", () => {
    assert.deepStrictEqual(read(view({ held: "opted-in" }), "opted-out", 200), {
      _tag: "News",
      view: view({ readAt: 200 }),
      time: { notBefore: 100, notAfter: 210 }
    })
  })

  it("of a block that is gone says since when it was seen to be gone", () =>
    assert.deepStrictEqual(read(view(), "opted-in", 200), {
      _tag: "News",
      view: view({ held: "opted-in", readAt: 200, liftedAt: 210 }),
      time: { notBefore: 100, notAfter: 210 }
    }))

  it("takes the provider's own time, where it gives one", () => {
    const met = View.meetReading(view(), "opted-in", point(140), { beganAt: 200, endedAt: 210 }, settle)
    assert.deepStrictEqual(met._tag === "News" && met.time, point(140))
  })

  it("while a write is on its way cannot be judged (L7)", () => {
    for (const state of ["opted-out", "opted-in"] as const) {
      assert.deepStrictEqual(read(view({ intent: "opted-in" }), state, 200), { _tag: "Undecided" })
    }
  })

  it("that began before another one cannot contradict it", () => {
    assert.deepStrictEqual(read(view(), "opted-in", 99), { _tag: "Undecided" })
    assert.strictEqual(read(view(), "opted-in", 100)._tag, "News")
  })

  it("of a pair asked about, but never answered for, is judged by itself", () =>
    assert.strictEqual(read(view({ held: undefined }), "opted-out", 50)._tag, "News"))

  it("soon after a write may be a stale copy (L7)", () => {
    const ours = view({ readAt: 100, ...written("opted-out", 100) })
    assert.deepStrictEqual(read(ours, "opted-in", 100 + settle - 1), { _tag: "Undecided" })
    assert.strictEqual(read(ours, "opted-in", 100 + settle)._tag, "News")
    assert.strictEqual(read(ours, "opted-out", 101)._tag, "Known")
  })
})

describe("an event", () => {
  it("of a pair never seen is news", () =>
    assert.deepStrictEqual(event(undefined, "opted-out", 200), {
      _tag: "News",
      view: view({ readAt: 200 }),
      time: point(200)
    }))

  it("of an opt-in says when the block was gone, however late it comes", () =>
    assert.deepStrictEqual(event(view(), "opted-in", 200, 9_000), {
      _tag: "News",
      view: view({ held: "opted-in", readAt: 200, liftedAt: 200 }),
      time: point(200)
    }))

  it("dated by a clock that is ahead does not outlast what is read from now on", () => {
    const met = event(view(), "opted-in", 9_000, 205)
    assert.deepStrictEqual(viewAfter(met), view({ held: "opted-in", readAt: 205, liftedAt: 205 }))
    assert.deepStrictEqual(
      View.meetOptInWord(view(), point(9_000), 205, 0, true),
      view({ held: "opted-in", readAt: 205, liftedAt: 205 })
    )
  })

  it("of an opt-out ends the talk of a lifted block", () => {
    const met = event(view({ held: "opted-in", liftedAt: 150 }), "opted-out", 200)
    assert.deepStrictEqual(met._tag === "News" && met.view, view({ readAt: 200 }))
  })

  it("again is news again, and nothing about the view but its age moves", () => {
    const lifted = view({ held: "opted-in", liftedAt: 150 })
    const met = event(lifted, "opted-in", 200)
    assert.deepStrictEqual(met, { _tag: "News", view: { ...lifted, readAt: 200 }, time: point(200) })
  })

  it("older than what was read since is a fact, but not what the provider holds", () => {
    const known = view({ held: "opted-in" })
    assert.deepStrictEqual(event(known, "opted-out", 99, 300), { _tag: "News", view: known, time: point(99) })
  })

  it.each(["opted-in", "opted-out"] as const)(
    "of the same moment as an %s never makes the provider hold a block for certain (L5)",
    (held) => {
      const other = held === "opted-in" ? "opted-out" : "opted-in"
      const same = { notBefore: 99, notAfter: 101 }
      const met = View.meetEvent(view({ held }), other, same, 300, false, 0)
      const { held: after } = viewAfter(met)
      assert.isTrue(after === "opted-in" || View.isInDoubt(viewAfter(met)))
    }
  )

  it("with no time but its arrival is younger than what was read", () => {
    const met = View.meetEvent(view({ held: "opted-in" }), "opted-out", by(101), 300, false, 0)
    assert.deepStrictEqual(met._tag === "News" && met.view, view())
  })

  it("of an opt-out that our own opt-in may have undone makes the provider hold no block (L2, L5)", () => {
    const ours = view({ held: "opted-in", ...written("opted-in", 100) })
    const heldAfter = (met: View.Meeting) => met._tag === "News" && met.view.held
    assert.strictEqual(heldAfter(event(ours, "opted-out", 100 + 5_000)), "opted-in")
    assert.strictEqual(heldAfter(event(ours, "opted-out", 100 + 5_001)), "opted-out")
    assert.strictEqual(heldAfter(View.meetEvent(ours, "opted-out", by(300), 300, false, echoWindow)), "opted-in")
    const doubted = view(written("opted-in", 150))
    const met = event(doubted, "opted-out", 150 + 5_000)
    assert.isTrue(met._tag === "News" && View.isInDoubt(met.view))
  })

  it("while a write is on its way leaves it to the outcome to say what is held (L7)", () => {
    for (const [intent, state] of [
      ["opted-out", "opted-out"],
      ["opted-in", "opted-in"],
      ["opted-in", "opted-out"]
    ] as const) {
      const known = view({ intent })
      assert.deepStrictEqual(event(known, state, 200), { _tag: "News", view: known, time: point(200) })
    }
  })

  it("of an opt-in during the write that blocks leaves the block in doubt: which came first cannot be known (L5)", () => {
    const sent = view({ held: undefined, intent: "opted-out", intentAt: 190 })
    for (const [receivedAt, doubtedAt] of [
      [205, 205],
      // By a clock of ours that is behind.
      [180, 190]
    ] as const)
      assert.deepStrictEqual(event(sent, "opted-in", 200, receivedAt), {
        _tag: "News",
        view: { ...sent, doubtedAt },
        time: point(200)
      })
    assert.isUndefined(viewAfter(event({ ...sent, intentAt: 200 + 5_001 }, "opted-in", 200)).doubtedAt)
  })

  it("of an opt-in during the write that blocked leaves the block in doubt, however late it comes (L5)", () => {
    const ours = view({ ...written("opted-out", 100), readAt: 100 })
    assert.deepStrictEqual(viewAfter(event(ours, "opted-in", 97, 300)), { ...ours, doubtedAt: 300 })
    assert.deepStrictEqual(viewAfter(event({ ...ours, doubtedAt: 300 }, "opted-in", 97, 400)), {
      ...ours,
      doubtedAt: 400
    })
    // Read again since, and no copy of before, or said long before: the block stands.
    const later = { ...ours, readAt: 97 + 5_000 + echoWindow }
    assert.strictEqual(viewAfter(event(later, "opted-in", 97, 9_000)).doubtedAt, 9_000)
    assert.isUndefined(viewAfter(event({ ...later, readAt: later.readAt + 1 }, "opted-in", 97, 9_000)).doubtedAt)
    assert.isUndefined(viewAfter(event(ours, "opted-in", 95 - 5_001, 300)).doubtedAt)
    // In the very moment of the answer, or in a time that begins before it.
    const span = { notBefore: 90, notAfter: 1_089 }
    for (const time of [point(100), span]) {
      const met = View.meetEvent(ours, "opted-in", time, 1_100, false, echoWindow)
      assert.deepStrictEqual(viewAfter(met), { ...ours, doubtedAt: 1_100 })
      assert.deepStrictEqual(View.meetOptInWord(ours, time, 1_100, 0, true), { ...ours, doubtedAt: 1_100 })
    }
    // Whatever is younger says what is held.
    for (const state of ["opted-out", "opted-in"] as const)
      assert.isFalse(View.isInDoubt(viewAfter(event({ ...ours, echoDue: false, doubtedAt: 300 }, state, 301))))
  })

  it("with no time but its arrival does not make the view younger than it is", () => {
    const met = View.meetEvent(view(), "opted-in", by(200), 200, false, echoWindow)
    assert.deepStrictEqual(met._tag === "News" && met.view?.readAt, 100)
  })
})

describe("the echo of our own write (L7)", () => {
  const ours = view({ ...written("opted-out", 100) })

  it("is not news, once", () => {
    const first = event(ours, "opted-out", 101, 110)
    assert.deepStrictEqual(first, { _tag: "Known", view: { ...ours, echoDue: false } })
    assert.strictEqual(event({ ...ours, echoDue: false }, "opted-out", 101, 111)._tag, "News")
  })

  it("may come while the write is still on its way", () => {
    const sent = view({ held: "opted-in", intent: "opted-out", echoDue: true })
    assert.deepStrictEqual(event(sent, "opted-out", 101), { _tag: "Known", view: { ...sent, echoDue: false } })
  })

  it("comes in time or is somebody else", () => {
    assert.strictEqual(event(ours, "opted-out", 100 + echoWindow)._tag, "Known")
    assert.strictEqual(event(ours, "opted-out", 100 + echoWindow + 1)._tag, "News")
  })

  it("is known by when it happened, however late the news of it comes", () => {
    assert.strictEqual(event(ours, "opted-out", 101, 100 + 10 * echoWindow)._tag, "Known")
  })

  it("cannot have happened before the write was begun", () => {
    assert.strictEqual(event(ours, "opted-out", ours.written!.begunAt - 5_001, 110)._tag, "News")
  })

  it("goes our way: the other way is news, and leaves the echo due", () => {
    const met = event(ours, "opted-in", 110)
    assert.deepStrictEqual(met._tag === "News" && [met.view.held, met.view.echoDue], ["opted-in", true])
  })

  it("names nobody: a person who is named is no echo", () => {
    const met = event(ours, "opted-out", 110, 110, true)
    assert.deepStrictEqual(met._tag === "News" && met.view.echoDue, true)
  })

  it("may be that of a write which another one has followed", () => {
    const sent = view({
      held: "opted-in",
      ...written("opted-in", 130),
      overwritten: { state: "opted-out", begunAt: 95, endedAt: 100 }
    })
    const { overwritten: _, ...rest } = sent
    assert.deepStrictEqual(event(sent, "opted-out", 101, 200), { _tag: "Known", view: rest })
    assert.strictEqual(event(rest, "opted-out", 101, 200)._tag, "News")
    // A person is never taken for it, nor what happened long after it.
    assert.strictEqual(event(sent, "opted-out", 101, 200, true)._tag, "News")
    assert.strictEqual(event(sent, "opted-out", 161, 200)._tag, "News")
    assert.deepStrictEqual(event(sent, "opted-in", 131), { _tag: "Known", view: { ...sent, echoDue: false } })
  })

  it("comes while the write after it is on its way, and that one's echo is still due", () => {
    const overwritten = { state: "opted-in", begunAt: 95, endedAt: 100 } as const
    const before = { ...written("opted-in", 100), overwritten }
    const under = view({ held: "opted-in", ...before, intent: "opted-out" })
    const { overwritten: _, ...rest } = under
    assert.deepStrictEqual(event(under, "opted-in", 101, 110), { _tag: "Known", view: rest })
    assert.deepStrictEqual(event(rest, "opted-out", 111, 112), { _tag: "Known", view: { ...rest, echoDue: false } })
  })

  it("is not waited for when none is due", () =>
    assert.strictEqual(event({ ...ours, echoDue: false }, "opted-out", 110)._tag, "News"))
})

describe("a word that the provider takes for an opt-in", () => {
  const lifted = (known: View.View | undefined, at = 200) => View.meetOptInWord(known, point(at), at, 0, true)

  it("lifts what the provider blocked (L4)", () =>
    assert.deepStrictEqual(lifted(view()), view({ held: "opted-in", readAt: 200, liftedAt: 200 })))

  it("says nothing about a block that was read after it (L4), and casts doubt on one that was read just then (L5)", () => {
    const known = (readAt: number) => View.meetOptInWord(view({ readAt }), point(200), 300, 10, true)
    for (const readAt of [200, 200 + 10 + 5_000]) {
      assert.deepStrictEqual(known(readAt), view({ readAt, doubtedAt: 300 }))
    }
    assert.isUndefined(known(200 + 10 + 5_001))
  })

  it("leaves in doubt what the provider blocked where it is not known whether it does (L2, L5)", () => {
    const perhaps = (known: View.View | undefined) => View.meetOptInWord(known, point(200), 210, 0, false)
    assert.deepStrictEqual(perhaps(view()), view({ doubtedAt: 210 }))
    assert.isUndefined(perhaps(view({ readAt: 200 + 5_001 })))
    assert.isUndefined(perhaps(view({ held: "opted-in" })))
    assert.isUndefined(perhaps(undefined))
  })

  it("leaves in doubt what is being written, whose echo may still come after another event passed for it (L5, L7)", () => {
    const under = view({ intent: "opted-out", intentAt: 195 })
    assert.deepStrictEqual(lifted(under), { ...under, echoDue: true, doubtedAt: 200 })
    assert.deepStrictEqual(lifted(under, 193), { ...under, echoDue: true, doubtedAt: 195 })
    assert.deepStrictEqual(lifted({ ...under, echoDue: true }), { ...under, echoDue: true, doubtedAt: 200 })
    assert.isUndefined(lifted({ ...under, intentAt: 200 + 5_001 }))
    assert.isUndefined(lifted(view({ intent: "opted-in" })))
  })

  it("leaves in doubt what was written meanwhile, whose echo may still come after another event passed for it (L5, L7)", () => {
    const wrote = (endedAt: number) => view({ ...written("opted-out", endedAt), readAt: endedAt, echoDue: false })
    assert.deepStrictEqual(lifted(wrote(300), 299), { ...wrote(300), echoDue: true, doubtedAt: 299 })
    const readAt = 300 + 5_000
    assert.deepStrictEqual(lifted({ ...wrote(300), readAt }, 299), { ...wrote(300), readAt, echoDue: true })
    assert.isUndefined(lifted({ ...wrote(300), readAt, echoDue: true }, 299))
    assert.isFalse(View.isInDoubt(lifted({ ...wrote(300), doubtedAt: 299 }, 301)!))
    // Long before and long after it the write had nothing to do with it.
    assert.isUndefined(lifted(wrote(30_000), 10_000))
    assert.strictEqual(lifted(wrote(300), 30_000)?.echoDue, false)
  })

  it("says nothing where nothing is blocked, or nothing known", () => {
    assert.isUndefined(lifted(view({ held: "opted-in" })))
    assert.isUndefined(lifted(undefined))
  })

  it("is not contradicted by a stale copy of the block; a block found later is a new one, of an unknown age", () => {
    const known = lifted(view())
    // It was said by the provider's clock, which may be behind ours.
    const settled = 200 + 5_000 + settle
    assert.deepStrictEqual(read(known, "opted-out", settled - 1), { _tag: "Undecided" })
    assert.deepInclude(read(known, "opted-out", settled), {
      _tag: "News",
      time: { notBefore: 200, notAfter: settled + 10 }
    })
  })
})

describe("a text refused over a block", () => {
  const refused = (known: View.View | undefined, at: number, receivedAt = at) =>
    View.meetRefusal(known, at, receivedAt, echoWindow)
  const slack = 5_000

  it("is news where nothing was known, or nothing blocked", () => {
    assert.deepStrictEqual(refused(undefined, 200), { _tag: "News", view: view({ readAt: 200 }), time: by(200) })
    assert.deepStrictEqual(refused(view({ held: "opted-in" }), 200), {
      _tag: "News",
      view: view({ readAt: 200 }),
      time: { notBefore: 100, notAfter: 200 }
    })
  })

  it("is no echo of a block that we wrote long ago and that was lifted since: nobody else may tell of the new one (L1)", () => {
    const lifted = view({ held: "opted-in", readAt: 200, liftedAt: 200, ...written("opted-out", 100) })
    const met = refused(lifted, 90_000)
    assert.deepStrictEqual(met, {
      _tag: "News",
      view: { ...lifted, held: "opted-out", readAt: 90_000, liftedAt: undefined },
      time: { notBefore: 200, notAfter: 90_000 }
    })
    const overwritten = { state: "opted-out", begunAt: 90, endedAt: 100 } as const
    const since = view({ held: "opted-in", readAt: 200, ...written("opted-in", 200), echoDue: false, overwritten })
    assert.strictEqual(refused(since, 90_000)._tag, "News")
  })

  it("of somebody who is known to be blocked is no news, however often it is tried (L7, L11)", () => {
    for (const known of [view(), view(written("opted-out", 100)), view({ intent: "opted-in" })])
      assert.notStrictEqual(refused(known, 90_000)._tag, "News")
  })

  it("may tell of the block that was lifted a moment ago (L3)", () => {
    const lifted = view({ held: "opted-in", readAt: 200, liftedAt: 200 })
    assert.deepStrictEqual(refused(lifted, 200 + slack + echoWindow - 1), { _tag: "Undecided" })
    assert.strictEqual(refused(lifted, 200 + slack + echoWindow)._tag, "News")
    const ours = view({ held: "opted-in", readAt: 200, ...written("opted-in", 200) })
    assert.deepStrictEqual(refused(ours, 200 + echoWindow - 1), { _tag: "Undecided" })
    assert.deepStrictEqual(refused(ours, 200 - 50, 9_000), { _tag: "Undecided" })
  })

  it("that comes late still says that somebody was blocked then (L1)", () => {
    const known = view({ held: "opted-in", readAt: 9_000 })
    assert.deepStrictEqual(refused(known, 200, 9_500), { _tag: "News", view: known, time: by(200) })
  })

  it("counts when it was heard of, should it be dated later", () =>
    assert.deepStrictEqual(refused(undefined, 900, 200), refused(undefined, 200)))
})
