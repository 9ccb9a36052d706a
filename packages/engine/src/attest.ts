/**
 * A named person says that somebody opted out or in, on the phone for instance.
 * It is stored like what providers tell, and counts like the recipient's own
 * words (L3): the next plan carries it.
 */
import { createHash } from "node:crypto"
import {
  type AccountName,
  type ConsentState,
  type Interval,
  notLaterThan,
  type Observation,
  type Reach,
  type Recipient,
  type SenderAddress
} from "@stopline/consent"
import { type Connection, ingest, type LedgerError } from "@stopline/ledger"
import { Clock, Effect, Schema } from "effect"
import { Fleet } from "./fleet.ts"
import { lookUp, type Stands } from "./lookup.ts"
import { ownerOf, type SenderUnclear } from "./owner.ts"

export interface Attestation {
  /** Needed only where two accounts have the sender. */
  readonly account?: AccountName
  readonly sender: SenderAddress
  readonly recipient: Recipient
  readonly state: ConsentState
  /** When the recipient said so, as exactly as the person knows. Absent: just now. */
  readonly time?: Interval
  /** How far an opt-in reaches. An opt-out silences the whole group either way. */
  readonly reach: Reach
  /** Who attests, by name. */
  readonly by: string
  /** How they know: `phone call`. */
  readonly how: string
  readonly note?: string
}

/** What cannot be attested. The message names the cure. */
export class NotAttested extends Schema.TaggedError<NotAttested>()("NotAttested", { problem: Schema.String }) {
  override get message(): string {
    return this.problem
  }
}

/** What one sender of the group must now do, and because of what (L13). */
export interface NowStands extends Pick<Stands, "account" | "sender" | "must" | "because" | "why"> {
  /** When what decides was said, as it counts (ms); null when nothing decides. */
  readonly since: number | null
}

export interface Attested {
  readonly account: AccountName
  readonly group: string
  /** The same attestation had been stored before. */
  readonly repeated: boolean
  /** The pair of the attestation first, and then the rest of its group. */
  readonly stands: readonly [pair: NowStands, ...rest: ReadonlyArray<NowStands>]
}

export const attest = Effect.fn("attest")(function* (
  said: Attestation
): Effect.fn.Return<Attested, NotAttested | SenderUnclear | LedgerError, Connection | Fleet> {
  const { settings, stations } = yield* Fleet
  const chosen = stations.filter((station) => said.account === undefined || station.account.name === said.account)
  const { account } = yield* Effect.fromResult(ownerOf(chosen, said.sender))
  if (said.by.trim() === "") return yield* new NotAttested({ problem: "an attestation needs the name of who attests" })
  if (said.how.trim() === "") return yield* new NotAttested({ problem: "an attestation says how its author knows" })
  const now = yield* Clock.currentTimeMillis
  if (said.time !== undefined && said.time.notBefore > now) {
    return yield* new NotAttested({
      problem: "the time lies in the future; give the time at which the person said it, or none for just now"
    })
  }
  const observation = observe(said, account.name, now)
  const { recorded } = yield* ingest(account, [observation], now, settings.echoMs)
  const { group, stands } = yield* nowStands(observation)
  return { account: account.name, group, repeated: recorded.length === 0, stands }
})

const observe = (said: Attestation, account: AccountName, now: number): Observation => {
  const [by, how, note = ""] = [said.by.trim(), said.how.trim(), said.note?.trim()]
  // What is told of this minute or of today has happened already.
  const time = notLaterThan(said.time ?? { notBefore: now, notAfter: now }, now)
  // The key holds what was told, so that the same words again are the same fact (L11). What is told of today may be told
  // again of something that has happened since.
  const told = [said.sender, said.state, said.reach, time.notBefore, time.notAfter, by, how, note]
  return {
    account,
    sender: said.sender,
    recipient: said.recipient,
    state: said.state,
    origin: "operator",
    basis: "attested",
    time,
    reach: said.reach,
    key: `attested:${createHash("sha256").update(JSON.stringify(told)).digest("hex").slice(0, 32)}`,
    evidence: { attestedBy: by, note: note === "" ? how : `${how}: ${note}` }
  }
}

/** What was said is kept, and counts for whoever speaks beside that sender or comes to. */
const configuredAnew =
  "it is stored, but the sender speaks for nobody any more: another configuration has come into force; start this process with that one"

const nowStands = Effect.fnUntraced(function* ({ account, recipient, sender }: Observation) {
  const { observations, standings } = yield* lookUp(recipient)
  const isPair = (one: Stands) => one.account === account && one.sender === sender
  const pair = standings.find(isPair)
  if (pair === undefined) return yield* new NotAttested({ problem: configuredAnew })
  const rest = standings.filter((one) => one.group === pair.group && !isPair(one))
  const stand = (one: Stands): NowStands => {
    const decides = observations.find(({ id }) => id === one.because)
    const since = one.must === "opted-out" ? decides?.notAfter : decides?.notBefore
    const { because, must, why } = one
    return { account: one.account, sender: one.sender, must, because, since: since ?? null, why }
  }
  const stands: Attested["stands"] = [stand(pair), ...rest.map(stand)]
  return { group: pair.group, stands }
})
