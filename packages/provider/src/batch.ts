/**
 * One verdict per recipient, where a provider may refuse a whole request over one
 * of them (L9): a batch refused like that is halved until the offender stands
 * alone, 7 levels for 100 recipients. If the first half is taken the offender is in
 * the second one, which is then halved without being asked: about one request for
 * each level and offender.
 */
import type { Recipient } from "@stopline/consent"
import { Data, Effect, Result } from "effect"
import type { ProviderError } from "./error.ts"
import { NextTurn } from "./turn.ts"

/**
 * The provider refused the whole request, perhaps over a recipient, and did not
 * say over which. Nothing was done. It never leaves an adapter.
 */
export class BatchRefused extends Data.TaggedError("BatchRefused")<{
  readonly error: ProviderError
  /** It is known to be over a recipient. Otherwise whom it refuses alone must be told by whom it takes. */
  readonly overRecipient: boolean
}> {}

export type Verdict<A> =
  | { readonly _tag: "Answered"; readonly answer: A }
  /** A request with this recipient alone was refused. */
  | { readonly _tag: "Refused"; readonly error: ProviderError }
  /** The part of the batch it was in failed, after other parts had been answered. */
  | { readonly _tag: "Failed"; readonly error: ProviderError }
  /** Its part was not sent any more, because an earlier one failed. */
  | { readonly _tag: "Unasked" }

export interface Judged<A> {
  readonly recipient: Recipient
  readonly verdict: Verdict<A>
}

interface Part {
  readonly start: number
  readonly asked: ReadonlyArray<Recipient>
  /** The first half of a refused part; the second one waits behind it. */
  readonly first: boolean
}

/** The second half lies below the first one. */
const halve = ({ asked, start }: Part): ReadonlyArray<Part> => {
  const half = Math.ceil(asked.length / 2)
  return [
    { start: start + half, asked: asked.slice(half), first: false },
    { start, asked: asked.slice(0, half), first: true }
  ]
}

/** When so many were refused alone and nobody was taken, not even the last one of each part that is left, it is not over them. */
const enough = 10

/** Each of them alone. */
const apart = ({ asked, start }: Part): ReadonlyArray<Part> =>
  asked.map((one, index) => ({ start: start + index, asked: [one], first: false }))

/**
 * In the order given. Fails when nothing was learnt about anybody, and when it is
 * the request that is refused, whoever is in it. Every request after the first
 * waits for a turn of its own.
 *
 * @param send asks about some of them, and has one answer for each, in their order
 */
export const askBatch = Effect.fn("askBatch")(function* <A>(
  recipients: ReadonlyArray<Recipient>,
  send: (part: ReadonlyArray<Recipient>) => Effect.Effect<ReadonlyArray<A>, ProviderError | BatchRefused>
) {
  const judged = judgeAll<A>(recipients, { _tag: "Unasked" })
  const waiting: Array<Part> = recipients.length === 0 ? [] : [{ start: 0, asked: recipients, first: false }]
  let taken = false
  let alone = 0
  let most = Number.POSITIVE_INFINITY
  let perhaps: ProviderError | undefined
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    const { asked, first, start } = part
    if (asked !== recipients) yield* yield* NextTurn
    const told = yield* Effect.result(send(asked))
    if (Result.isSuccess(told)) {
      taken = true
      const answers = told.success.map((answer, index) => judge<A>(asked[index]!, { _tag: "Answered", answer }))
      judged.splice(start, asked.length, ...answers)
      const second = first ? waiting.pop() : undefined
      if (second !== undefined) waiting.push(...(second.asked.length > 1 ? halve(second) : [second]))
    } else if (told.failure._tag === "ProviderError") {
      if (!taken && (alone === 0 || perhaps !== undefined)) return yield* told.failure
      judged.splice(start, asked.length, ...judgeAll<A>(asked, { _tag: "Failed", error: told.failure }))
      // What is throttled or broken for this part is so for the rest: send nothing more.
      return judged
    } else if (asked.length > 1) {
      waiting.push(...halve(part))
    } else {
      const { error, overRecipient } = told.failure
      alone += 1
      judged.splice(start, 1, ...judgeAll<A>(asked, { _tag: "Refused", error }))
      if (!overRecipient) perhaps = error
      if (taken || recipients.length <= enough) continue
      if (alone === enough) {
        const left = waiting.flatMap(apart)
        if (left.length <= enough) waiting.splice(0, waiting.length, ...left)
        else {
          // Offenders often stand together, before and behind the others.
          const lasts = waiting.flatMap((one) => apart(one).slice(-1))
          waiting.push(...lasts)
          most = alone + lasts.length
        }
      }
      if (alone === most) return yield* error
    }
  }
  return taken || perhaps === undefined ? judged : yield* perhaps
})

const judge = <A>(recipient: Recipient, verdict: Verdict<A>): Judged<A> => ({ recipient, verdict })

const judgeAll = <A>(recipients: ReadonlyArray<Recipient>, verdict: Verdict<A>): Array<Judged<A>> =>
  recipients.map((recipient) => judge(recipient, verdict))
