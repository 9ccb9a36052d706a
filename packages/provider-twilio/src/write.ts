/**
 * Bulk upsert of consents: `POST /v1/Consents/Bulk` (Twilio docs, Consent
 * Management API). The answer is 201 whatever became of the items; each says
 * for itself, by its correlation id, whether it was taken.
 */
import type { ConsentState, Recipient, SenderAddress } from "@stopline/consent"
import { type Operation, type ProviderAdapter, Refused, type WriteOutcome, type WritePort } from "@stopline/provider"
import { Effect, Option, Schema } from "effect"
import { HttpClientRequest } from "effect/http"
import type { Client } from "./client.ts"
import type { TwilioConfig } from "./config.ts"
import { BulkAnswer, BulkItem } from "./wire.ts"

/** Twilio docs, Consent Management API: "Creates up to 25 consents". */
const maxItems = 25

interface Item {
  readonly correlation: string
  readonly recipient: string
  readonly senderId: string
}

export interface Consents {
  readonly maxRecipients: number
  readonly write: (state: ConsentState) => WritePort["write"]
  /** Proves credentials, access and the sender, and changes nothing. */
  readonly probe: ProviderAdapter["probe"]
}

/**
 * Where texts go through a Messaging Service, a block of the service and a block
 * of the number both count (Twilio docs, error 21610). Which of them a consent
 * of the one moves at the other is not found, so both are written; but where the
 * service has other numbers, that would block people there who asked for texts.
 */
const senderIds = ({ messagingService, senders }: TwilioConfig, sender: SenderAddress): ReadonlyArray<string> =>
  messagingService === undefined || senders.length > 1 ? [sender] : [sender, messagingService]

/** No number: Twilio's own example of a contact that is refused (twilio-oai, example of CreateBulkConsents). */
const nobody = "+19"

export const makeConsents = (config: TwilioConfig, client: Client): Consents => {
  const url = new URL("/v1/Consents/Bulk", config.accountsUrl ?? "https://accounts.twilio.com")

  const upsert = Effect.fn("Twilio.upsert")(function* (
    operation: Operation,
    state: ConsentState,
    sender: SenderAddress,
    recipients: ReadonlyArray<string>
  ) {
    const items = recipients.flatMap((recipient) =>
      senderIds(config, sender).map((senderId): Item => ({ correlation: correlationId(), recipient, senderId }))
    )
    const form = items.map((item): [string, string] => ["Items", JSON.stringify(onWire(item, state))])
    const request = HttpClientRequest.post(url).pipe(
      HttpClientRequest.acceptJson,
      HttpClientRequest.bodyUrlParams(form)
    )
    const { items: answers } = yield* client.ask(operation, request, BulkAnswer)
    const found = Map.groupBy(
      answers.flatMap((answer) => Option.toArray(Schema.decodeUnknownOption(BulkItem)(answer))),
      (answer) => answer.correlation_id.toLowerCase()
    )
    const wrong = [...found.values()].flat().flatMap(faultOfRequest)[0]
    // With a part of it done, as at the number and not at its service, it is not as if nothing had been asked.
    const nothingDone = items.every(
      ({ correlation }) => found.get(correlation)?.every(({ error_code }) => error_code !== 0) ?? false
    )
    if (wrong !== undefined && nothingDone) {
      const detail = `Twilio refuses the request itself: ${wrong}`
      return yield* client.fail(operation, new Refused({ status: 201, code: wrong }), detail)
    }
    return { items, found }
  })

  const write = (state: ConsentState): WritePort["write"] =>
    Effect.fn("Twilio.write")(function* (sender: SenderAddress, recipients: ReadonlyArray<Recipient>) {
      if (recipients.length === 0) return []
      const operation = state === "opted-out" ? "optOut" : "optIn"
      const { found, items } = yield* upsert(operation, state, sender, recipients)
      const byRecipient = Map.groupBy(items, ({ recipient }) => recipient)
      return recipients.map((recipient) =>
        (byRecipient.get(recipient) ?? [])
          .map(({ correlation }) => outcomeOf(recipient, found.get(correlation) ?? []))
          .reduce(worse)
      )
    })

  return {
    maxRecipients: Math.floor(maxItems / (config.messagingService === undefined || config.senders.length > 1 ? 1 : 2)),
    write,
    // An opt-out, so that even a Twilio that took it would have taken nothing that matters.
    probe: (sender) => Effect.asVoid(upsert("probe", "opted-out", sender, [nobody]))
  }
}

/** 32 hexadecimal digits of a UUID (Twilio docs, error 30646: INVALID_CORRELATION_ID). */
const correlationId = (): string => crypto.randomUUID().replaceAll("-", "")

/** Nobody told us here how or when consent was given: `date_of_consent` may be left out, and the source is `others`. */
const onWire = ({ correlation, recipient, senderId }: Item, state: ConsentState): object => ({
  contact_id: recipient,
  correlation_id: correlation,
  sender_id: senderId,
  status: state === "opted-out" ? "opt-out" : "opt-in",
  source: "others"
})

/** What Twilio can find wrong with an item that is ours, not the recipient's (Twilio docs, error 30646). */
const ours: ReadonlySet<string> = new Set([
  "INVALID_CORRELATION_ID",
  "INVALID_SENDER_ID",
  "INVALID_STATUS",
  "INVALID_SOURCE",
  "INVALID_DATE_OF_CONSENT"
])

const faultOfRequest = ({ error_messages }: BulkItem): ReadonlyArray<string> =>
  (error_messages ?? []).filter((message) => ours.has(message))

const outcomeOf = (recipient: Recipient, answers: ReadonlyArray<BulkItem>): WriteOutcome => {
  const [answer, another] = answers
  const retryable = (detail: string): WriteOutcome => ({
    _tag: "Retryable",
    recipient,
    detail,
    mayHaveApplied: true
  })
  if (answer === undefined) return retryable("Twilio does not say what became of it")
  if (another !== undefined) return retryable("Twilio says twice what became of it")
  if (answer.error_code === 0) return { _tag: "Held", recipient }
  if ((answer.error_messages ?? []).includes("INVALID_CONTACT_ID")) {
    return { _tag: "Rejected", recipient, detail: "Twilio says that this is no number (INVALID_CONTACT_ID)" }
  }
  return retryable(`Twilio could not do it (${faultOfRequest(answer)[0] ?? answer.error_code})`)
}

/** A recipient is held where all its items are, and rejected where all are. Anything between: something was done. */
const worse = (a: WriteOutcome, b: WriteOutcome): WriteOutcome => {
  if (a._tag === b._tag || a._tag === "Retryable") return a
  if (b._tag === "Retryable") return b
  const detail = "Twilio took it for the number or for its service, and not for both"
  return { _tag: "Retryable", recipient: a.recipient, detail, mayHaveApplied: true }
}
