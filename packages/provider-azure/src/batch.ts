/**
 * One verdict per recipient, whatever Azure makes of the batch.
 *
 * Azure has two ways to dislike a recipient. Its published examples give that
 * recipient an item of its own with status 400. Its recorded traffic has a request
 * for one recipient refused as a whole, without naming it; what becomes of the
 * others in a larger batch is written nowhere. Both are met: a batch refused like
 * that is halved until the offender stands alone, 7 levels for 100 recipients. If
 * the first half is taken the offender is in the second one, which is then halved
 * without being asked: about one request for each level and offender.
 */
import { parseRecipient, type Recipient } from "@stopline/consent"
import { NextTurn, type ProviderError } from "@stopline/provider"
import { Effect, Match, Option, Result } from "effect"
import type { BatchRefused } from "./failure.ts"
import type { OptOutItem } from "./wire.ts"

export type Verdict =
  | { readonly _tag: "Answered"; readonly item: OptOutItem }
  /** The request succeeded, and its answer does not speak of this recipient. */
  | { readonly _tag: "Unnamed" }
  /** A request with this recipient alone was refused. */
  | { readonly _tag: "Refused"; readonly code: string | undefined }
  /** The part of the batch it was in failed, after other parts had been answered. */
  | { readonly _tag: "Failed"; readonly error: ProviderError }
  /** Its part was not sent any more, because an earlier one failed. */
  | { readonly _tag: "Unasked" }

export interface Judged {
  readonly recipient: Recipient
  readonly verdict: Verdict
}

type Send = (
  recipients: ReadonlyArray<Recipient>
) => Effect.Effect<ReadonlyArray<OptOutItem>, ProviderError | BatchRefused>

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

/** In the order given. Fails only when nothing was learnt about anybody. Every request after the first waits for a turn of its own. */
export const askBatch = Effect.fn("askBatch")(function* (recipients: ReadonlyArray<Recipient>, send: Send) {
  const judged = judgeAll(recipients, { _tag: "Unasked" })
  const waiting: Array<Part> = recipients.length === 0 ? [] : [{ start: 0, asked: recipients, first: false }]
  let learnt = false
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    const { asked, first, start } = part
    if (asked !== recipients) yield* yield* NextTurn
    const answer = yield* Effect.result(send(asked))
    if (Result.isSuccess(answer)) {
      judged.splice(start, asked.length, ...match(asked, answer.success))
      const second = first ? waiting.pop() : undefined
      if (second !== undefined) waiting.push(...(second.asked.length > 1 ? halve(second) : [second]))
    } else if (answer.failure._tag === "ProviderError") {
      if (!learnt) return yield* answer.failure
      judged.splice(start, asked.length, ...judgeAll(asked, { _tag: "Failed", error: answer.failure }))
      // What is throttled or broken for this part is so for the rest: send nothing more.
      break
    } else if (asked.length > 1) {
      waiting.push(...halve(part))
      continue
    } else {
      judged.splice(start, 1, ...judgeAll(asked, { _tag: "Refused", code: answer.failure.code }))
    }
    learnt = true
  }
  return judged
})

const judgeAll = (recipients: ReadonlyArray<Recipient>, verdict: Verdict): Array<Judged> =>
  recipients.map((recipient) => ({ recipient, verdict }))

/**
 * By number, not by place. Each item answers for one recipient; a number that
 * has more items than it was asked for has no answer that can be trusted.
 */
const match = (asked: ReadonlyArray<Recipient>, items: ReadonlyArray<OptOutItem>): ReadonlyArray<Judged> => {
  const answers = Map.groupBy(items, (item) => Option.getOrUndefined(parseRecipient(item.to)))
  const times = Map.groupBy(asked, (recipient) => recipient)
  const trusted = (recipient: Recipient) =>
    (answers.get(recipient)?.length ?? 0) <= (times.get(recipient)?.length ?? 0) ? answers.get(recipient) : undefined
  return asked.map((recipient) => {
    const item = trusted(recipient)?.shift()
    return { recipient, verdict: item === undefined ? { _tag: "Unnamed" } : { _tag: "Answered", item } }
  })
}

/** The verdict in a sentence for a person, with no number in it. */
export const describe = (verdict: Verdict): string =>
  Match.valueTags(verdict, {
    Answered: ({ item }) => `Azure answered ${item.httpStatusCode} for this recipient${quote(item.errorMessage)}`,
    Unnamed: () => "Azure's answer does not speak of this recipient",
    Refused: ({ code }) => `Azure refused a request with this recipient alone${code === undefined ? "" : ` (${code})`}`,
    Failed: ({ error }) => `its part of the batch failed: ${error.detail}`,
    Unasked: () => "not asked: an earlier part of the batch failed"
  })

/** Azure's own words, only where they cannot hold a number. */
const quote = (words: string | null | undefined): string =>
  typeof words === "string" && /^\P{N}{1,120}$/u.test(words) ? `: ${words}` : ""
