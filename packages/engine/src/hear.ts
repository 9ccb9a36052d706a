/** A webhook request, from its first byte to what may be answered: commit first, answer afterwards (L1). */
import type { Observation } from "@stopline/consent"
import {
  type Connection,
  ingest,
  type Ingested,
  know,
  type LedgerError,
  type RegisteredAccount
} from "@stopline/ledger"
import type { Contact, EventPort, RawRequest, Received, Reply } from "@stopline/provider"
import { Effect } from "effect"
import { Fleet, type Station } from "./fleet.ts"

export interface HeardRequest {
  readonly reply: Reply
  readonly received: Received["_tag"]
  /** Absent when there was nothing to store. */
  readonly ingested?: Kept
}

/** What was news; of what was stored together with others it is not known how much was none. */
export type Kept = Pick<Ingested, "recorded"> & Partial<Ingested>

/** Stores what was understood, and says what of it was news. */
export type Keep = (
  observations: ReadonlyArray<Observation>,
  receivedAt: number
) => Effect.Effect<Kept, LedgerError, Connection | Fleet>

/** By itself, in a transaction of its own. */
const keepAlone =
  (account: RegisteredAccount): Keep =>
  (observations, receivedAt) =>
    Effect.flatMap(Fleet, ({ settings }) => ingest(account, observations, receivedAt, settings.echoMs))

/** Receives one request and stores what it carried. A failure of the ledger means: do not answer 2xx, so that it is sent again. */
export const hearRequest = Effect.fn("hearRequest")(function* (
  station: Station,
  port: EventPort,
  request: RawRequest,
  keep: Keep = keepAlone(station.account)
): Effect.fn.Return<HeardRequest, LedgerError, Connection | Fleet> {
  yield* Effect.annotateCurrentSpan({ account: station.account.name })
  return yield* storeReceived(station, yield* port.receive(request), request.receivedAt, keep)
})

/** Stores what an event carried, however it came. */
export const storeReceived = Effect.fn("storeReceived")(function* (
  station: Station,
  received: Received,
  receivedAt: number,
  keep: Keep = keepAlone(station.account)
): Effect.fn.Return<HeardRequest, LedgerError, Connection | Fleet> {
  if (received._tag === "NotAuthentic" || received._tag === "NotUnderstood") {
    yield* Effect.logWarning("an event was not taken", {
      account: station.account.name,
      outcome: received._tag,
      reason: received.reason
    })
  }
  if (received._tag !== "Understood") return { reply: received.reply, received: received._tag }
  for (const problem of received.problems) {
    yield* Effect.logWarning("a part of an event could not be understood", {
      account: station.account.name,
      part: problem.row,
      reason: problem.reason
    })
  }
  if (received.contacts !== undefined) yield* meet(station, received.contacts)
  if (received.observations.length === 0) return { reply: received.reply, received: received._tag }
  const ingested = yield* keep(received.observations, receivedAt)
  return { reply: received.reply, received: received._tag, ingested }
})

/** Whom a sender texts is worth knowing and no fact about consent: where it cannot be kept, the request is none the worse. */
const meet = Effect.fnUntraced(function* ({ account }: Station, contacts: ReadonlyArray<Contact>) {
  const bySender = Map.groupBy(contacts, (contact) => contact.sender)
  for (const sender of account.senders) {
    const people = bySender.get(sender.address)?.map(({ at, recipient }) => ({ recipient, textedAt: at }))
    if (people === undefined) continue
    yield* know(account, [sender], people).pipe(
      Effect.catch((error) => Effect.logWarning("who was texted could not be kept", { error: error.message }))
    )
  }
})
