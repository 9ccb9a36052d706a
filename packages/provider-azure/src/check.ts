/**
 * Asking Azure whom it blocks. It is Azure's only way to say so: there is no list.
 */
import { Recipient, type SenderAddress } from "@stopline/consent"
import type { CheckAnswer, CheckPort, ProviderError } from "@stopline/provider"
import { Effect, Schema } from "effect"
import { askAzure, type AzureJudged, type AzureVerdict, describe } from "./batch.ts"
import { type AzureClient, maxRecipients } from "./client.ts"

export const checkPort = (client: AzureClient): CheckPort => ({
  maxRecipients,
  check: Effect.fn("Azure.check")(function* (sender: SenderAddress, recipients: ReadonlyArray<Recipient>) {
    const judged = yield* askAzure(client, "check", sender, recipients)
    return judged.map((one) => toAnswer(sender, one))
  })
})

/** Only a status of 200 with a plain yes or no is an answer; everything else is silence (L5). */
const toAnswer = (sender: SenderAddress, { recipient, verdict }: AzureJudged): CheckAnswer => {
  const status = statusOf(verdict)
  const isOptedOut = verdict._tag === "Answered" ? verdict.answer?.isOptedOut : undefined
  if (status === 200 && typeof isOptedOut === "boolean") {
    // Azure keeps neither the time of an opt-out nor who made it.
    const state = isOptedOut ? "opted-out" : "opted-in"
    return { _tag: "Known", recipient, reading: { sender, recipient, state, origin: "unknown" } }
  }
  const detail = status === 200 ? "Azure answered 200 and did not say whether" : describe(verdict)
  return { _tag: "Unanswered", recipient, detail, ...(status !== undefined && { status }) }
}

const statusOf = (verdict: AzureVerdict): number | undefined => {
  if (verdict._tag === "Answered") return verdict.answer?.httpStatusCode
  return verdict._tag === "Refused" && verdict.error.reason._tag === "Refused" ? verdict.error.reason.status : undefined
}

/** A number reserved for fiction (NANP 555-01XX): nobody has it. */
const nobody = Schema.decodeSync(Recipient)("+12025550100")

/**
 * Asks for one recipient. A check is signed and must come from a sender of the
 * resource, as a write must, and it changes nothing; there is no cheaper call
 * that proves both. The recipient is the sender itself where it is a number,
 * since Azure is known to refuse some numbers that nobody has; if it refuses
 * this one, it has still answered us, and that is what is asked.
 */
export const probe = (client: AzureClient) =>
  Effect.fn("Azure.probe")(function* (sender: SenderAddress): Effect.fn.Return<void, ProviderError> {
    const recipient = Schema.is(Recipient)(sender) ? sender : nobody
    yield* client
      .send("probe", sender, [recipient])
      .pipe(
        Effect.catchTag("BatchRefused", ({ error, overRecipient }) =>
          overRecipient ? Effect.void : Effect.fail(error)
        )
      )
  })
