/**
 * What RingCentral tells by webhook (RingCentral guide: webhooks, high-volume
 * SMS events, messaging consent). It signs nothing: a request proves itself by
 * repeating the token that the subscription was made with.
 */
import { createHash, timingSafeEqual } from "node:crypto"
import {
  type AccountName,
  by,
  type Interval,
  type Observation,
  parseTimestamp,
  ruleAt,
  unitedStates
} from "@stopline/consent"
import type { EventPort, RawRequest, Received, Reply, RowProblem } from "@stopline/provider"
import { Effect, Option, Redacted, Result, Schema } from "effect"
import { readConsent } from "./consent.ts"
import { hearMessage, type Understanding } from "./message.ts"
import { readPair } from "./pair.ts"
import { ConsentChange, Envelope, Message, OptOutChange } from "./wire.ts"

export const makeEventPort = (account: AccountName, token: Redacted.Redacted): EventPort => ({
  receive: (request) => Effect.sync(() => receive(account, token, request))
})

const receive = (account: AccountName, token: Redacted.Redacted, request: RawRequest): Received => {
  const validation = request.headers["validation-token"]
  if (validation !== undefined && request.body.trim() === "") return shakeHands(validation)
  // One page of RingCentral's guide takes Validation-Token for the proof; all others, and its API, say Verification-Token.
  if (!same(request.headers["verification-token"] ?? "", Redacted.value(token))) {
    return { _tag: "NotAuthentic", reason: "the Verification-Token header is missing or wrong", reply: reply(401) }
  }
  return readEvent(account, request.body, request.receivedAt)
}

/** An event that is known to come from RingCentral. */
export const readEvent = (account: AccountName, body: string, receivedAt: number): Received => {
  const envelope = decodeEnvelope(body)
  if (Option.isNone(envelope)) return notUnderstood("the body is no RingCentral event")
  // A reminder that the subscription will end.
  if (envelope.value.event.startsWith("/restapi/v1.0/subscription/")) return { _tag: "Ending", reply: reply(200) }
  const told = understand(account, envelope.value, receivedAt)
  if (told === undefined) return notUnderstood("the event's body is not what RingCentral promises")
  return { _tag: "Understood", ...told, reply: reply(200) }
}

/** RingCentral takes JSON for the type of every answer, also of an empty one. */
const reply = (status: number, headers: Readonly<Record<string, string>> = {}): Reply => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  body: ""
})

const notUnderstood = (reason: string): Received => ({ _tag: "NotUnderstood", reason, reply: reply(400) })

/** While it makes a subscription, RingCentral asks for its token back, in an answer of at most 1024 bytes in all. */
const shakeHands = (token: string): Received =>
  /^[\x21-\x7e]{1,512}$/.test(token)
    ? { _tag: "Handshake", reply: reply(200, { "validation-token": token }) }
    : notUnderstood("the Validation-Token header is no token")

/** Of equal length whatever came in, so that the time it takes says nothing. */
const same = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b))
const digest = (text: string): Buffer => createHash("sha256").update(text).digest()

/** Undefined: an event of a kind we know, whose body is not what that kind has. */
const understand = (account: AccountName, envelope: Envelope, receivedAt: number): Understanding | undefined => {
  const told: Told = {
    account,
    envelope,
    receivedAt,
    // An event without a readable time happened before it came.
    time: parseTimestamp(envelope.timestamp ?? "") ?? by(receivedAt)
  }
  const path = envelope.event.split("?", 1)[0] ?? ""
  if (path.endsWith("/a2p-sms/opt-outs")) return optOutChange(told)
  if (path.endsWith("/a2p-sms/messages")) return inboundMessage(told)
  if (path.endsWith("/sms/consents")) return consentChange(told)
  return { observations: [], problems: [{ row: "event", reason: "an event of a kind that nobody here asked for" }] }
}

interface Told {
  readonly account: AccountName
  readonly envelope: Envelope
  readonly receivedAt: number
  /** Of the event. What it tells of came before it, in the published samples by up to half a second. */
  readonly time: Interval
}

const optOutChange = ({ account, envelope, time }: Told): Understanding | undefined => {
  const change = Option.getOrUndefined(decodeOptOutChange(envelope.body))
  if (change === undefined) return undefined
  const pair = readPair(change.from, change.to)
  if (Result.isFailure(pair)) return { observations: [], problems: [{ row: "body", reason: pair.failure }] }
  const observation: Observation = {
    account,
    ...pair.success,
    state: change.active ? "opted-out" : "opted-in",
    // It does not say who: the person, a colleague at a screen, or a program, which may be this one.
    origin: "unknown",
    basis: "event",
    time,
    reach: "pair",
    key: `event:${envelope.uuid}`,
    evidence: { eventId: envelope.uuid }
  }
  return { observations: [observation], problems: [] }
}

const inboundMessage = ({ account, envelope, receivedAt, time }: Told): Understanding | undefined =>
  Option.match(decodeMessage(envelope.body), {
    onNone: () => undefined,
    onSome: (message) =>
      hearMessage(message, {
        account,
        rule: ruleAt(unitedStates, receivedAt),
        otherwise: by(time.notAfter),
        eventId: envelope.uuid
      })
  })

/** The event of the newer consents API. An account may send it before anything else here uses that API. */
const consentChange = ({ account, envelope, time }: Told): Understanding | undefined => {
  const change = Option.getOrUndefined(decodeConsentChange(envelope.body))
  if (change === undefined) return undefined
  const observations: Array<Observation> = []
  const problems: Array<RowProblem> = []
  for (const [index, row] of change.records.entries()) {
    const consent = readConsent(row)
    if (Result.isFailure(consent)) {
      problems.push({ row: `records[${index}]`, reason: consent.failure })
      continue
    }
    const { at, ...read } = consent.success
    observations.push({
      account,
      ...read,
      basis: "event",
      time: at ?? by(time.notAfter),
      reach: "pair",
      // One event can speak of one person twice, for two senders.
      key: `event:${envelope.uuid}${change.records.length === 1 ? "" : `#${index}`}`,
      evidence: { eventId: envelope.uuid }
    })
  }
  return { observations, problems }
}

const decodeEnvelope = Schema.decodeUnknownOption(Envelope)
const decodeOptOutChange = Schema.decodeUnknownOption(OptOutChange)
const decodeMessage = Schema.decodeUnknownOption(Message)
const decodeConsentChange = Schema.decodeUnknownOption(ConsentChange)
