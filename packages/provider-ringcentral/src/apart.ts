/**
 * A write, once more in parts where RingCentral refuses the whole of it: both
 * generations answer 400 to a request in which they do not like one number, and
 * need not say which.
 */
import type { Recipient } from "@stopline/consent"
import { askBatch, BatchRefused, mayHaveApplied, type ProviderError, type WriteOutcome } from "@stopline/provider"
import { Effect, Match } from "effect"
import { retryable } from "./outcome.ts"

/** @param write has one outcome for each, in the order given; they are all different */
export const writeApart = Effect.fn("RingCentral.writeApart")(function* (
  recipients: ReadonlyArray<Recipient>,
  write: (part: ReadonlyArray<Recipient>) => Effect.Effect<ReadonlyArray<WriteOutcome>, ProviderError>
) {
  const people = [...new Set(recipients)]
  const judged = yield* askBatch(people, (part) => Effect.mapError(write(part), perhapsOverOne))
  const outcomes = new Map(
    judged.map(({ recipient, verdict }) => [
      recipient,
      Match.valueTags(verdict, {
        Answered: ({ answer }) => answer,
        Refused: ({ error }): WriteOutcome => ({
          _tag: "Rejected",
          recipient,
          detail: `it was refused alone, and others were taken: ${error.detail}`
        }),
        Failed: ({ error }) =>
          retryable(recipient, `its part of the batch failed: ${error.detail}`, mayHaveApplied(error)),
        Unasked: () => retryable(recipient, "not asked: an earlier part of the batch failed", false)
      })
    ])
  )
  return recipients.flatMap((recipient) => outcomes.get(recipient) ?? [])
})

const perhapsOverOne = (error: ProviderError): ProviderError | BatchRefused =>
  isRefusal(error) ? new BatchRefused({ error, overRecipient: false }) : error

/** Something in the request is not liked, and nothing of it was done. */
export const isRefusal = ({ reason }: ProviderError): boolean => reason._tag === "Refused" && reason.status === 400
