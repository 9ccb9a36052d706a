/**
 * What Azure tells through Event Grid: texts that people sent us, and reports of
 * texts that were not delivered. There is no event for an opt-out itself, so
 * both are read for what they say about consent.
 *
 * Read tolerantly: the published samples differ in the case of their keys, in the
 * plus before a number and in the digits of a second, and every field of a text
 * is optional (Azure Event Grid: Communication Services SMS events).
 */
import {
  type AccountName,
  by,
  hear,
  isTollFree,
  isVerbatim,
  type Interval,
  type KeywordSet,
  type Observation,
  parseRecipient,
  parseSender,
  parseTimestamp,
  type Recipient,
  ruleAt,
  type SenderAddress,
  unitedStates
} from "@stopline/consent"
import type { Contact, RowProblem } from "@stopline/provider"
import { Effect, Option, Result, Schema } from "effect"
import { anyCase, looseText } from "./wire.ts"

/** On whose behalf events are read. */
export interface Teller {
  readonly account: AccountName
  readonly keywords: KeywordSet
}

/** One event, in either schema. */
export interface Envelope {
  readonly kind: string
  readonly id: string | undefined
  readonly time: string | undefined
  readonly data: unknown
}

const EnvelopeFields = anyCase({
  id: looseText,
  /** Event Grid schema. */
  eventtype: looseText,
  eventtime: looseText,
  /** CloudEvents 1.0. */
  type: looseText,
  time: looseText,
  data: Schema.optionalKey(Schema.Unknown)
})

/** None: this is no event. */
export const readEnvelope = (element: unknown): Option.Option<Envelope> =>
  Option.flatMap(Schema.decodeUnknownOption(EnvelopeFields)(element), (fields) =>
    Option.map(Option.fromUndefinedOr(fields.eventtype ?? fields.type), (kind) => ({
      kind,
      id: fields.id,
      time: fields.eventtime ?? fields.time,
      data: fields.data
    }))
  )

interface Heard {
  readonly observations: ReadonlyArray<Observation>
  readonly contacts: ReadonlyArray<Contact>
  readonly problems: ReadonlyArray<RowProblem>
}

/** A broken event spares the others. Kinds of event that say nothing about consent are passed over. */
export const readEvents = (
  teller: Teller,
  events: ReadonlyArray<Option.Option<Envelope>>,
  receivedAt: number
): Heard => {
  const observations: Array<Observation> = []
  const contacts: Array<Contact> = []
  const problems: Array<RowProblem> = []
  for (const [index, event] of events.entries()) {
    const told = Option.match(event, {
      onNone: (): Told => Result.fail("it is no event"),
      onSome: (event) => readers.get(event.kind.toLowerCase())?.(teller, event, receivedAt) ?? nothing
    })
    if (Result.isFailure(told)) problems.push({ row: `events[${index}]`, reason: told.failure })
    else if (told.success !== undefined) {
      if ("at" in told.success) contacts.push(told.success)
      else observations.push(told.success)
    }
  }
  return { observations, contacts, problems }
}

/** An observation, a text that says nothing about consent, nothing at all, or why it cannot be read (with no number in it). */
type Told = Result.Result<Observation | Contact | undefined, string>

const nothing: Told = Result.succeed(undefined)

const TextData = anyCase({
  messageid: looseText,
  from: looseText,
  to: looseText,
  message: looseText,
  receivedtimestamp: looseText
})

/** A text that a person sent: from them, to our sender. The text itself goes no further than this function. */
const readText = (teller: Teller, event: Envelope, receivedAt: number): Told => {
  const decoded = Schema.decodeUnknownOption(TextData)(event.data)
  if (Option.isNone(decoded)) return Result.fail("SMSReceived has no data")
  const data = decoded.value
  const heard = hear(data.message ?? "", teller.keywords, ruleAt(unitedStates, receivedAt))
  if (heard === undefined) return met(data.to, data.from, data.receivedtimestamp ?? event.time, receivedAt)
  const verbatim = heard.state === "opted-in" && isVerbatim(data.message ?? "", heard)
  // At a toll-free number START lifts the block for certain. Azure acts on a word at a short code of the United States where
  // that was chosen for it, and never at one of Canada or Britain (Azure SMS FAQ), and a code does not tell; who acts on it
  // at a 10DLC number is not found, and at an international one a partner may (Azure Messaging Connect guide).
  return told("SMSReceived", event, data, { sender: data.to, recipient: data.from }, receivedAt, (facts) => ({
    ...facts.pair,
    account: teller.account,
    state: heard.state,
    origin: "recipient",
    basis: "message",
    time: facts.time,
    reach: heard.reach,
    key: `message:${facts.id}`,
    evidence: {
      ...facts.evidence,
      keyword: heard.keyword,
      ...(verbatim && (isTollFree(facts.pair.sender) ? { acted: true } : { mayHaveActed: true }))
    }
  }))
}

const ReportData = anyCase({
  messageid: looseText,
  from: looseText,
  to: looseText,
  deliverystatus: looseText,
  deliverystatusdetails: Schema.optionalKey(
    Schema.Union([Schema.String, Schema.Number]).pipe(Schema.catchDecoding(() => Effect.succeedSome("")))
  ),
  receivedtimestamp: looseText
})

/**
 * Code 4007 of Azure's SMS error codes, or its words: the details are free text
 * and vary. 4010 (toll-free number not verified) and 4005 (blocked by the carrier)
 * say nothing about what the recipient wants.
 */
const optedOutDetails =
  /(?:^\s*|\b(?:error|code)\W{1,3})4007\b|(?<!\b(?:not|to) )\bopt(?:ed)?[\s-]?out|sender blocked for given recipient/i

/** A text that was not delivered: from our sender, to a person. */
const readReport = (teller: Teller, event: Envelope, receivedAt: number): Told => {
  const decoded = Schema.decodeUnknownOption(ReportData)(event.data)
  if (Option.isNone(decoded)) return Result.fail("SMSDeliveryReportReceived has no data")
  const data = decoded.value
  const failed = data.deliverystatus?.toLowerCase() === "failed"
  if (!failed || !optedOutDetails.test(String(data.deliverystatusdetails))) {
    return met(data.from, data.to, data.receivedtimestamp ?? event.time, receivedAt)
  }
  const pair = { sender: data.from, recipient: data.to }
  return told("SMSDeliveryReportReceived", event, data, pair, receivedAt, (facts) => ({
    ...facts.pair,
    account: teller.account,
    state: "opted-out",
    origin: "unknown",
    basis: "send-error",
    // The report tells that they had opted out by then, not when.
    time: by(facts.time.notAfter),
    reach: "group",
    key: `report:${facts.id}`,
    evidence: facts.evidence
  }))
}

/** Kinds of event, lower case. */
const readers: ReadonlyMap<string, (teller: Teller, event: Envelope, receivedAt: number) => Told> = new Map([
  ["microsoft.communication.smsreceived", readText],
  ["microsoft.communication.smsdeliveryreportreceived", readReport]
])

/** A text about something else. Where it cannot be told between whom, nothing is lost. */
const met = (from: string | undefined, to: string | undefined, time: string | undefined, receivedAt: number): Told => {
  const sender = Option.getOrUndefined(parseSender(from ?? ""))
  const recipient = Option.getOrUndefined(parseRecipient(to ?? ""))
  if (sender === undefined || recipient === undefined) return nothing
  const at = (parseTimestamp(time ?? "") ?? by(receivedAt)).notAfter
  return Result.succeed({ sender, recipient, at: Math.min(at, receivedAt) })
}

interface Pair {
  readonly sender: SenderAddress
  readonly recipient: Recipient
}

/** What both kinds of event have in common. */
interface Facts {
  readonly pair: Pair
  readonly time: Interval
  /** The same for every delivery of the same event. */
  readonly id: string
  readonly evidence: Observation["evidence"]
}

const told = (
  kind: string,
  event: Envelope,
  data: { readonly messageid?: string | undefined; readonly receivedtimestamp?: string | undefined },
  raw: { readonly sender: string | undefined; readonly recipient: string | undefined },
  receivedAt: number,
  observe: (facts: Facts) => Observation
): Told => {
  const recipient = Option.getOrUndefined(parseRecipient(raw.recipient ?? ""))
  const sender = Option.getOrUndefined(parseSender(raw.sender ?? ""))
  if (recipient === undefined) return Result.fail(`${kind} is about consent, but its recipient is no number`)
  if (sender === undefined) return Result.fail(`${kind} is about consent, but its sender is no number or short code`)
  // The event is made after what it tells of, in the published samples by seconds: an opt-in dated by it could jump an opt-out.
  const time =
    parseTimestamp(data.receivedtimestamp ?? "") ?? by(parseTimestamp(event.time ?? "")?.notAfter ?? receivedAt)
  return Result.succeed(
    observe({
      pair: { sender, recipient },
      time,
      // Without any id, the sender and the moment must do; a second delivery is then a second row, and changes nothing.
      id: data.messageid ?? event.id ?? `${sender}@${time.notAfter}`,
      evidence: {
        ...(data.messageid !== undefined && { messageId: data.messageid }),
        ...(event.id !== undefined && { eventId: event.id })
      }
    })
  )
}
