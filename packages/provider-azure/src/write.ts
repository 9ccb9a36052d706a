/**
 * Making Azure hold an opt-out (add) or no opt-out (remove). Both are taken to be
 * idempotent: adding what is there and removing what is not answer 200.
 */
import type { Recipient, SenderAddress } from "@stopline/consent"
import { mayHaveApplied, type WriteOutcome, type WritePort } from "@stopline/provider"
import { Effect, Match } from "effect"
import { askAzure, type AzureJudged, describe } from "./batch.ts"
import { type AzureClient, maxRecipients } from "./client.ts"
import { tollFreeOptIn } from "./tollfree.ts"

export const optOutPort = (client: AzureClient, concurrency: number): WritePort =>
  writePort(client, "optOut", concurrency, () => undefined)

export const optInPort = (client: AzureClient, concurrency: number): WritePort =>
  writePort(client, "optIn", concurrency, tollFreeOptIn)

const writePort = (
  client: AzureClient,
  operation: "optOut" | "optIn",
  concurrency: number,
  except: WritePort["except"]
): WritePort => ({
  maxRecipients,
  concurrency,
  except,
  write: Effect.fn(`Azure.${operation}`)(function* (sender: SenderAddress, recipients: ReadonlyArray<Recipient>) {
    const detail = except(sender)
    // Whoever did not ask `except` first is stopped here as well.
    if (detail !== undefined) {
      return recipients.map((recipient): WriteOutcome => ({ _tag: "Rejected", recipient, detail }))
    }
    const judged = yield* askAzure(client, operation, sender, recipients)
    return judged.map(toOutcome)
  })
})

const toOutcome = ({ recipient, verdict }: AzureJudged): WriteOutcome => {
  const detail = describe(verdict)
  const held: WriteOutcome = { _tag: "Held", recipient }
  const rejected: WriteOutcome = { _tag: "Rejected", recipient, detail }
  const retryable = (mayHaveApplied: boolean): WriteOutcome => ({
    _tag: "Retryable",
    recipient,
    detail,
    mayHaveApplied
  })
  return Match.valueTags(verdict, {
    // Azure OpenAPI 2026-01-23 shows 200, 400 and 500 for an item; the others are read as they are for a request.
    Answered: ({ answer }) => {
      const status = answer?.httpStatusCode
      if (status === undefined) return retryable(true)
      if (status >= 200 && status < 300) return held
      // Over the credentials or the pace, and no judgement of the person.
      if (status === 401 || status === 403 || status === 429) return retryable(false)
      return status >= 400 && status < 500 && status !== 408 ? rejected : retryable(true)
    },
    Refused: () => rejected,
    Failed: ({ error }) => retryable(mayHaveApplied(error)),
    Unasked: () => retryable(false)
  })
}
