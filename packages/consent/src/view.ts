/**
 * What a provider was last *known* to hold for a pair: the base of the three-way diff.
 *
 * The rules by which a reading or an event meets a view are here, pure. They
 * keep L7: our own writes come back as news and are not news, and a read that
 * began before a write ended cannot contradict that write.
 */
import { type ConsentState, opposite } from "./observation.ts"
import { by, clockSlack, type Interval, notLaterThan } from "./time.ts"

export interface View {
  /** Undefined: unknown. Never read as "not opted out" (L5). */
  readonly held: ConsentState | undefined
  /** When the last read that told began, or our last write ended (ms). */
  readonly readAt: number
  /** When the provider had lifted what it blocked, at the latest: so it says itself, or it was seen then (ms). */
  readonly liftedAt: number | undefined
  /** When an opt-in was heard that may have lifted the block which is held, for it was said as that was written or read (ms). */
  readonly doubtedAt?: number
  /** A write has been committed to be sent and its outcome is not in yet. */
  readonly intent: ConsentState | undefined
  /** When that write was committed to be sent (ms). */
  readonly intentAt?: number
  /** What we last wrote. */
  readonly written: OwnWrite | undefined
  /** The provider may still send one event about our own write. */
  readonly echoDue: boolean
  /** A write of ours that the last one followed before its echo had come: that echo may still come. */
  readonly overwritten?: OwnWrite
}

/** A write that was done or may have been: when it was committed to be sent and when it ended (ms). */
export interface OwnWrite {
  readonly state: ConsentState
  readonly begunAt: number
  readonly endedAt: number
}

/**
 * Whether something may have moved what was held: a write of ours that is on its way, whose answer was lost, or whose
 * process died; or an opt-in said as the block was written or read. Until it is read or written again nobody knows (L5).
 */
export const isInDoubt = ({ doubtedAt, held, intent, readAt, written }: View): boolean =>
  held !== undefined &&
  (intent !== undefined || doubtedAt !== undefined || (written !== undefined && written.endedAt > readAt))

/** Nothing was ever read or written. */
export const unknown: View = {
  held: undefined,
  readAt: Number.NEGATIVE_INFINITY,
  liftedAt: undefined,
  intent: undefined,
  written: undefined,
  echoDue: false
}

/** One request that read: it began and ended, and the truth it tells lies somewhere between. */
export interface Span {
  readonly beganAt: number
  readonly endedAt: number
}

export type Meeting =
  /** The provider holds something else than it did: news, with the time the change can have happened. */
  | { readonly _tag: "News"; readonly view: View; readonly time: Interval }
  /** The view knows it already. `view` is set when something about it moved. */
  | { readonly _tag: "Known"; readonly view?: View }
  /** The reading cannot be judged: a write was on its way, or the answer may be a stale copy. */
  | { readonly _tag: "Undecided" }

/**
 * A row of a list or an answer to a check meets what was known.
 *
 * @param settle how long after a change the provider may answer from a stale copy (ms)
 */
export const meetReading = (
  view: View | undefined,
  state: ConsentState,
  at: Interval | undefined,
  span: Span,
  settle: number
): Meeting => {
  if (view?.intent !== undefined) return { _tag: "Undecided" }
  // A copy from before a write that may have been done says nothing of what it did.
  if (view !== undefined && isInDoubt(view) && isTooSoon(view.written, span, settle)) return { _tag: "Undecided" }
  if (view?.doubtedAt !== undefined && span.beganAt < view.doubtedAt + settle) return { _tag: "Undecided" }
  if (view?.held === state) {
    const { doubtedAt: _, ...sure } = view
    return { _tag: "Known", view: { ...sure, readAt: Math.max(view.readAt, span.beganAt) } }
  }
  if (view !== undefined && view.readAt > span.beganAt && view.held !== undefined) return { _tag: "Undecided" }
  if (state === "opted-out" && isJustLifted(view, span, settle)) return { _tag: "Undecided" }
  if (isTooSoon(view?.written, span, settle)) return { _tag: "Undecided" }
  const next: View = {
    held: state,
    readAt: span.beganAt,
    liftedAt: view?.held === "opted-out" && state === "opted-in" ? span.endedAt : undefined,
    intent: undefined,
    written: view?.written,
    echoDue: view?.echoDue ?? false,
    ...(view?.overwritten && { overwritten: view.overwritten })
  }
  // Nothing blocked and nothing was known: the ordinary state of the world, and no news.
  if (view?.held === undefined && state === "opted-in" && at === undefined) return { _tag: "Known", view: next }
  const lastOtherwise = view?.held === opposite(state) ? view.readAt : Number.NEGATIVE_INFINITY
  return { _tag: "News", view: next, time: at ?? { notBefore: lastOtherwise, notAfter: span.endedAt } }
}

/**
 * A text of ours was refused since the provider blocks the person: a reading that nobody asked for, and no change. It is
 * never the echo of a write, however little is known of when the block began, and what was known to block is no news
 * (L7, L11): whoever said START since would be silenced by a text sent blindly. Nobody need ever tell of it again, so
 * where something else was read since, it still says what was so by then (L1).
 *
 * @param at when the provider reported it (ms)
 * @param receivedAt when it reached us (ms)
 * @param lag how long after a change it may still be told how it was before (ms)
 */
export const meetRefusal = (view: View | undefined, at: number, receivedAt: number, lag: number): Meeting => {
  const moment = Math.min(at, receivedAt)
  const span = { beganAt: moment, endedAt: moment }
  const meeting = meetReading(view, "opted-out", undefined, span, lag)
  const outdated = view?.held === "opted-in" && view.intent === undefined && view.readAt > moment
  if (meeting._tag !== "Undecided" || !outdated || isTooSoon(view.written, span, lag) || isJustLifted(view, span, lag))
    return meeting
  return { _tag: "News", view, time: by(moment) }
}

/** Whether the block that is told of may be the one that was lifted. */
const isJustLifted = (view: View | undefined, { beganAt }: Span, settle: number): boolean =>
  view?.liftedAt !== undefined && beganAt < view.liftedAt + clockSlack + settle

/** Whether the answer may be a copy from before the write. */
const isTooSoon = (written: OwnWrite | undefined, { beganAt }: Span, settle: number): boolean =>
  written !== undefined && beganAt < written.endedAt + settle

/** Whether something that happened at this time can be the write. However late the news of it comes, what counts is when it happened. */
const isAbout = (written: OwnWrite, time: Interval, echoWindow: number): boolean =>
  time.notAfter >= written.begunAt - clockSlack && time.notBefore <= written.endedAt + echoWindow

/** What names no time but its arrival is younger than all that was known by then. */
const isYounger = ({ notAfter, notBefore }: Interval, moment: number): boolean =>
  (notBefore > Number.NEGATIVE_INFINITY ? notBefore : notAfter) > moment

/** Whether our own opt-in may have come after it, by clocks that differ: then it lifted that block, which has to be set again (L5). */
const mayBeUndone = ({ written }: View, { notBefore }: Interval): boolean =>
  written?.state === "opted-in" && notBefore <= written.endedAt + clockSlack

/**
 * A provider's event that a pair changed meets what was known.
 *
 * @param time when it happened by the provider's clock
 * @param receivedAt when it reached us (ms)
 * @param named whether the event names who did it, so that our own write cannot hide behind it
 * @param echoWindow how long after our own write the provider may date its echo, or answer from a copy of before (ms)
 */
export const meetEvent = (
  view: View | undefined,
  state: ConsentState,
  time: Interval,
  receivedAt: number,
  named: boolean,
  echoWindow: number
): Meeting => {
  if (view?.echoDue === true && !named) {
    // While a write is on its way the echo that is due is its own; one of the write before it is looked for below.
    const ours =
      view.intent === undefined
        ? view.written?.state === state && isAbout(view.written, time, echoWindow)
        : view.intent === state
    // One write, one echo: a second event is somebody else speaking.
    if (ours) return { _tag: "Known", view: { ...view, echoDue: false } }
  }
  if (view?.overwritten !== undefined && !named) {
    const { overwritten, ...rest } = view
    if (state === overwritten.state && isAbout(overwritten, time, echoWindow)) return { _tag: "Known", view: rest }
  }
  const base: View = view ?? unknown
  if (state === "opted-in" && mayHaveLifted(base, time, echoWindow)) {
    return { _tag: "News", view: { ...base, ...doubted(base, receivedAt) }, time }
  }
  // An event older than what was read since is still a fact, but no longer what the provider holds;
  // and while a write is on its way its outcome will say what is held.
  const outdated = (base.held !== undefined && base.readAt > time.notAfter) || base.intent !== undefined
  const undecidable =
    state === "opted-out" && ((base.held === "opted-in" && !isYounger(time, base.readAt)) || mayBeUndone(base, time))
  if (outdated || undecidable) return { _tag: "News", view: base, time }
  const lifted = state === "opted-in" && base.held !== "opted-in"
  const { doubtedAt: _, ...sure } = base
  // Dated later than it was heard of, it would outlast every reading until then.
  const { notAfter, notBefore } = notLaterThan(time, receivedAt)
  const next: View = {
    ...sure,
    held: state,
    readAt: Math.max(base.readAt, notBefore),
    liftedAt: lifted ? notAfter : state === base.held ? base.liftedAt : undefined
  }
  return { _tag: "News", view: next, time }
}

/**
 * A person texted a word that this provider acts on as an opt-in: by itself it has
 * lifted what it blocked. A block found there later is somebody's new one, not
 * ours left over, and must not be lifted as if it were (L4). But a write of ours
 * that was on its way when it was said may have come after it: what passed for its
 * echo can have been the person's own opt-out, said before they changed their mind,
 * and the echo may still come. Should it be somebody's opt-out instead, a reading
 * finds it. And whether that write blocks is in doubt: if it came first, the word has
 * lifted it. So is any block where it is not known that the provider acts on the word, until it is written again or read:
 * taken for lifted it would be news when it is found; taken for held, the next STOP would not be written there (L2, L5).
 *
 * @param time when it was said
 * @param receivedAt when it reached us (ms)
 * @param lag how long after a change the provider may answer from a copy of before (ms)
 * @param acts whether the provider is known to act on it
 * @returns the view as it then is; undefined when the word says nothing about what is held
 */
export const meetOptInWord = (
  view: View | undefined,
  time: Interval,
  receivedAt: number,
  lag: number,
  acts: boolean
): View | undefined => {
  if (view === undefined) return undefined
  const echoDue = view.echoDue || mayComeAfter(view, time)
  const isOlder = view.held === "opted-out" && view.intent === undefined && view.readAt < time.notAfter
  if (mayHaveLifted(view, time, lag) || (isOlder && !acts)) return { ...view, ...doubted(view, receivedAt), echoDue }
  if (isOlder) {
    const { doubtedAt: _, ...sure } = view
    const { notAfter, notBefore } = notLaterThan(time, receivedAt)
    return { ...sure, held: "opted-in", readAt: Math.max(view.readAt, notBefore), liftedAt: notAfter, echoDue }
  }
  return echoDue === view.echoDue ? undefined : { ...view, echoDue }
}

/**
 * Whether an opt-in of this time may have come before the block that is known or after it: what was read may have been
 * a copy from before, what we wrote was done at some time between its beginning and its answer.
 */
const mayHaveLifted = (view: View, time: Interval, lag: number): boolean => {
  const { held, intent, readAt, written } = view
  if (intent !== undefined) return mayComeAfter(view, time)
  if (held !== "opted-out" || isYounger(time, readAt)) return false
  const began = written !== undefined && readAt <= written.endedAt ? written.begunAt : readAt - lag
  return time.notAfter >= began - clockSlack
}

/** Doubted since this was heard of, and never since before the write that it doubts, whatever clock told the time of either. */
const doubted = ({ intentAt }: View, receivedAt: number) => ({
  doubtedAt: Math.max(receivedAt, intentAt ?? receivedAt)
})

/** Whether the opt-out that we last wrote, or are writing, can have been done after what was said at this time. */
const mayComeAfter = ({ intent, intentAt, written }: View, time: Interval): boolean =>
  intent === undefined
    ? written?.state === "opted-out" && isAbout(written, time, clockSlack)
    : intent === "opted-out" && (intentAt === undefined || time.notAfter >= intentAt - clockSlack)
