/**
 * Any amount of numbers, in batches as large as the provider takes, and one
 * outcome for each in the end (L9).
 */
import type { Recipient, SenderAddress } from "@stopline/consent"
import { Effect, Option, Result } from "effect"
import type { CheckAnswer, CheckPort, WriteOutcome, WritePort } from "./adapter.ts"
import { mayHaveApplied, type ProviderError } from "./error.ts"
import { readNumber } from "./plain-number.ts"

/** What the provider says about one number. */
export interface Checked {
  /** As it was given. */
  readonly number: string
  /** `unknown`: the provider did not say. Never take it for "not opted out". */
  readonly state: "opted-out" | "opted-in" | "unknown"
  /** Why it is unknown. */
  readonly detail?: string
}

/** What became of one number. */
export interface Written {
  /** As it was given. */
  readonly number: string
  /** `held`: the provider holds it now. `retryable`: not this time. `rejected`: not now, and not later. */
  readonly outcome: "held" | "retryable" | "rejected"
  /** It may have been done all the same; the same again does no harm. */
  readonly mayHaveApplied: boolean
  readonly detail?: string
}

const noNumber = "it is no phone number with a country code"

/** Asks batch by batch. Fails only when nothing was learnt about anybody. */
const inBatches = Effect.fnUntraced(function* <A>(
  numbers: ReadonlyArray<string>,
  size: number,
  ask: (batch: ReadonlyArray<Recipient>) => Effect.Effect<ReadonlyArray<A>, ProviderError>,
  /** What to say of whoever was in the batch that failed, or in a later one. */
  failed: (recipient: Recipient, error: ProviderError, asked: boolean) => A
) {
  const parsed = numbers.map((number) => Option.getOrUndefined(readNumber(number)))
  const recipients = parsed.filter((recipient) => recipient !== undefined)
  const told: Array<A> = []
  while (told.length < recipients.length) {
    const batch = recipients.slice(told.length, told.length + size)
    const answer = yield* Effect.result(ask(batch))
    if (Result.isSuccess(answer)) told.push(...answer.success)
    else if (told.length === 0) return yield* answer.failure
    else {
      const rest = recipients.slice(told.length)
      told.push(...rest.map((recipient, index) => failed(recipient, answer.failure, index < batch.length)))
    }
  }
  const next = told.values()
  return parsed.map((recipient) => (recipient === undefined ? undefined : next.next().value))
})

export const checkAll = Effect.fn("checkAll")(function* (
  { check, maxRecipients }: CheckPort,
  sender: SenderAddress,
  numbers: ReadonlyArray<string>
) {
  const answers = yield* inBatches<CheckAnswer>(
    numbers,
    maxRecipients,
    (batch) => check(sender, batch),
    (recipient, { detail }) => ({ _tag: "Unanswered", recipient, detail })
  )
  return numbers.map((number, index): Checked => {
    const answer = answers[index]
    if (answer?._tag === "Known") return { number, state: answer.reading.state }
    return { number, state: "unknown", detail: answer?.detail ?? noNumber }
  })
})

export const writeAll = Effect.fn("writeAll")(function* (
  { maxRecipients, write }: WritePort,
  sender: SenderAddress,
  numbers: ReadonlyArray<string>
) {
  const outcomes = yield* inBatches<WriteOutcome>(
    numbers,
    maxRecipients,
    (batch) => write(sender, batch),
    (recipient, error, asked) => ({
      _tag: "Retryable",
      recipient,
      detail: error.detail,
      mayHaveApplied: asked && mayHaveApplied(error)
    })
  )
  return numbers.map((number, index): Written => {
    const outcome = outcomes[index]
    if (outcome?._tag === "Held") return { number, outcome: "held", mayHaveApplied: true }
    if (outcome?._tag === "Retryable") {
      return { number, outcome: "retryable", mayHaveApplied: outcome.mayHaveApplied, detail: outcome.detail }
    }
    return { number, outcome: "rejected", mayHaveApplied: false, detail: outcome?.detail ?? noNumber }
  })
})
