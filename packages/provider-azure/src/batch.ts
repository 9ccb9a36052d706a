/**
 * One verdict per recipient, whatever Azure makes of the batch.
 *
 * Azure has two ways to dislike a recipient. Its published examples give that
 * recipient an item of its own with status 400. Its recorded traffic has a request
 * for one recipient refused as a whole, without naming it; what becomes of the
 * others in a larger batch is written nowhere. Both are met.
 */
import { parseRecipient, type Recipient, type SenderAddress } from "@stopline/consent"
import { askBatch, type Judged, type Verdict } from "@stopline/provider"
import { Effect, Match, Option, Schema } from "effect"
import type { AzureClient, AzureOperation } from "./client.ts"
import { OptOutItem } from "./wire.ts"

/** Undefined: the request succeeded, and its answer does not speak of this recipient. */
type Item = OptOutItem | undefined
export type AzureJudged = Judged<Item>
export type AzureVerdict = Verdict<Item>

export const askAzure = (
  client: AzureClient,
  operation: AzureOperation,
  sender: SenderAddress,
  recipients: ReadonlyArray<Recipient>
) => askBatch(recipients, (part) => Effect.map(client.send(operation, sender, part), (items) => match(part, items)))

/**
 * By number, not by place. Each item answers for one recipient; a number that has
 * more items than it was asked for, readable or not, has no answer that can be trusted.
 */
const match = (asked: ReadonlyArray<Recipient>, items: ReadonlyArray<unknown>): ReadonlyArray<Item> => {
  const answers = Map.groupBy(items, (item) => Option.getOrUndefined(Option.flatMap(decodeAddress(item), numberOf)))
  const times = Map.groupBy(asked, (recipient) => recipient)
  const trusted = (recipient: Recipient) =>
    (answers.get(recipient)?.length ?? 0) <= (times.get(recipient)?.length ?? 0) ? answers.get(recipient) : undefined
  return asked.map((recipient) => Option.getOrUndefined(decodeItem(trusted(recipient)?.shift())))
}

const decodeAddress = Schema.decodeUnknownOption(Schema.Struct({ to: Schema.String }))
const numberOf = ({ to }: { readonly to: string }) => parseRecipient(to)
const decodeItem = Schema.decodeUnknownOption(OptOutItem)

/** The verdict in a sentence for a person, with no number in it. */
export const describe = (verdict: AzureVerdict): string =>
  Match.valueTags(verdict, {
    Answered: ({ answer }) =>
      answer === undefined
        ? "Azure's answer does not speak of this recipient"
        : `Azure answered ${answer.httpStatusCode} for this recipient${quote(answer.errorMessage)}`,
    Refused: ({ error }) => `Azure refused a request with this recipient alone: ${error.detail}`,
    Failed: ({ error }) => `its part of the batch failed: ${error.detail}`,
    Unasked: () => "not asked: an earlier part of the batch failed"
  })

/** Azure's own words, only where they cannot hold a number. */
const quote = (words: string | null | undefined): string =>
  typeof words === "string" && /^\P{N}{1,120}$/u.test(words) ? `: ${words}` : ""
