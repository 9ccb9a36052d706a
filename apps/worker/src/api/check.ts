/**
 * May these people be texted? The busiest of all requests, so its body is looked
 * at by hand instead of by its schema; a test holds the two together.
 */
import { Recipient } from "@stopline/consent"
import { type Answer, type AskedOf, Fleet, mayText, type Reason } from "@stopline/engine"
import type { Connection, LedgerError } from "@stopline/ledger"
import { Clock, Effect, Predicate, Schema } from "effect"
import { Loaded } from "../open.ts"
import { wrongIn } from "./body.ts"
import type { Freshness } from "./freshness.ts"
import { type Unprocessable, unprocessable } from "./problems.ts"
import { askedOf, groupOf } from "./sender.ts"
import { type CheckRequest, type CheckResponse, type CheckResult, mostPeople, when } from "./shapes.ts"

/** Strictly E.164: a number that has to be guessed at may be somebody else's, and the yes to them no yes to this one. */
const isRecipient = Schema.is(Recipient)

const stateOf: Record<Reason, CheckResult["state"]> = {
  "nothing-said": "never-opted-out",
  "opted-in": "opted-in",
  "opted-out": "opted-out",
  "opted-out-before": "opted-out",
  "held-by-provider": "opted-out",
  "write-on-its-way": "unknown",
  "not-a-number": "unknown",
  unknown: "unknown"
}

const optional = ["sender", "account", "group"] as const

/** The request, or the place where it is not as it should be. */
export const readCheck = (value: unknown): CheckRequest | string => {
  if (!Predicate.isObject(value)) return "the whole"
  const { recipients, ...rest } = value as Record<string, unknown>
  const request: { -readonly [K in keyof CheckRequest]: CheckRequest[K] } = { recipients: [] }
  for (const key of optional) {
    const text = rest[key]
    if (text === undefined && !(key in rest)) continue
    if (typeof text !== "string" || text === "" || text.length > (key === "sender" ? 64 : 500)) return key
    request[key] = text
  }
  const known: ReadonlyArray<string> = optional
  const stranger = Object.keys(rest).some((key) => !known.includes(key))
  if (stranger) return "a field that there is not"
  if (!Array.isArray(recipients) || recipients.length === 0 || recipients.length > mostPeople) return "recipients"
  const wrong = recipients.findIndex((one) => typeof one !== "string" || one.length > 64)
  if (wrong !== -1) return `recipients.${wrong}`
  request.recipients = recipients
  return request
}

export const check = Effect.fnUntraced(function* (
  text: string,
  freshness: Freshness["Service"]["ofAccounts"]
): Effect.fn.Return<CheckResponse, Unprocessable | LedgerError, Connection | Fleet | Loaded> {
  const request = readCheck(parse(text))
  if (typeof request === "string") return yield* unprocessable(wrongIn(request))
  const senders = yield* sendersOf(request)
  const now = yield* Clock.currentTimeMillis
  const { recipients } = request
  const fresh = yield* freshness
  const answers = yield* mayText(
    senders,
    recipients.map((one) => (isRecipient(one) ? one : undefined))
  )
  const response: CheckResponse = {
    checkedAt: new Date(now).toISOString(),
    senders: senders.map(({ address, station }) => ({
      account: station.account.name,
      sender: address,
      ...(fresh.get(station.account.id) ?? { listReadAt: null, events: "blind" })
    })),
    results: recipients.map((recipient, index) => resultOf(recipient, answers[index]))
  }
  return response
})

/** Undefined is as little a request as what it stands for. */
const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const sendersOf = Effect.fnUntraced(function* ({
  account,
  group,
  sender
}: CheckRequest): Effect.fn.Return<ReadonlyArray<AskedOf>, Unprocessable, Fleet | Loaded> {
  const { stations } = yield* Fleet
  if (sender !== undefined && group === undefined) {
    return [yield* askedOf(stations, { sender, ...(account !== undefined && { account }) })]
  }
  if (group === undefined || sender !== undefined || account !== undefined) {
    return yield* unprocessable("name either a sender, with its account where two have it, or a group")
  }
  return yield* groupOf(stations, (yield* Loaded).groups, group)
})

const nothing: Answer = { mayText: false, why: "unknown", from: null, since: null, because: null, readAt: null }

const resultOf = (recipient: string, answer: Answer = nothing): CheckResult => ({
  recipient,
  mayText: answer.mayText,
  state: stateOf[answer.why],
  why: answer.why,
  account: answer.from === null ? null : answer.from.station.account.name,
  sender: answer.from === null ? null : answer.from.address,
  since: when(answer.since),
  because: answer.because,
  readAt: when(answer.readAt)
})
