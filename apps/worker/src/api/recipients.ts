/** What one person said, and what a named person says for them. */
import { Recipient } from "@stopline/consent"
import { attest as runAttest, Fleet, lookUp, NotAttested } from "@stopline/engine"
import type { Said } from "@stopline/ledger"
import { Effect, Schema } from "effect"
import { parseWhen, whenExample } from "../people/when.ts"
import { Caller } from "./authorise.ts"
import { unprocessable } from "./problems.ts"
import { findSender } from "./sender.ts"
import { type AttestationRequest, type LookupRequest, type LookupResponse, when } from "./shapes.ts"

const isRecipient = Schema.is(Recipient)

const needNumber = (text: string) =>
  isRecipient(text)
    ? Effect.succeed(text)
    : Effect.fail(unprocessable("recipient is no number; write it as +15550100001"))

export const lookup = Effect.fnUntraced(function* (request: typeof LookupRequest.Type) {
  const recipient = yield* needNumber(request.recipient)
  const { observations, standings } = yield* lookUp(recipient)
  const response: LookupResponse = {
    recipient,
    observations: observations.map(sayObservation),
    standings: standings.map(({ heldAt, ...stands }) => ({ ...stands, heldAt: when(heldAt) }))
  }
  return response
})

const sayObservation = ({ evidence, notAfter, notBefore, recordedAt, ...said }: Said) => ({
  ...said,
  notBefore: when(notBefore),
  notAfter: when(notAfter),
  recordedAt: when(recordedAt),
  evidence: { ...evidence }
})

export const attest = Effect.fnUntraced(function* (request: typeof AttestationRequest.Type) {
  const recipient = yield* needNumber(request.recipient)
  const { stations } = yield* Fleet
  const { account, address } = yield* findSender(stations, request)
  const time = parseWhen(request.at)
  if (time === undefined) return yield* unprocessable(`at is no time; write it with its zone, as ${whenExample}`)
  const caller = yield* Caller
  const attested = yield* runAttest({
    account: account.name,
    sender: address,
    recipient,
    state: request.state,
    time,
    reach: request.reach ?? "pair",
    by: `${request.by.trim()} (key ${caller})`,
    how: request.how,
    ...(request.note !== undefined && { note: request.note })
  }).pipe(
    Effect.catchIf(
      (error) => error instanceof NotAttested || error._tag === "SenderUnclear",
      (error) => Effect.fail(unprocessable(error.message))
    )
  )
  const { group, repeated, stands } = attested
  return {
    account: attested.account,
    group,
    repeated,
    stands: stands.map(({ since, ...stand }) => ({ ...stand, since: when(since) }))
  }
})
