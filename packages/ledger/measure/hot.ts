/** What a ledger does all day. */
import type { Observation, Reading, Recipient } from "@stopline/consent"
import {
  beginRun,
  beginWalk,
  beginWrites,
  claimLane,
  commitCheck,
  commitPage,
  type Connection,
  differences,
  endWrites,
  history,
  ingest,
  type LedgerError,
  liftedBlocks,
  stalest,
  walkKey
} from "@stopline/ledger"
import { Clock, Effect } from "effect"
import { type Filled, numberOf, recipientOf } from "./fill.ts"

export interface Hot {
  readonly name: string
  /** How often it is done to be measured. */
  readonly times: number
  readonly doing: () => Effect.Effect<unknown, LedgerError, Connection>
}

/** Numbers below `n` in no order, the same ones every time. */
const sequence = (n: number) => {
  let state = 0
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return 1 + Math.floor((state / 2_147_483_648) * n)
  }
}

const leaseMs = 3_600_000

/** After every number there is. */
const beyond = 99_999_999_999

export const hotPaths = Effect.fn("hotPaths")(function* ({ account, sender }: Filled, pairs: number) {
  const next = sequence(pairs)
  let stranger = pairs
  const now = yield* Clock.currentTimeMillis
  const known = (count: number) => Array.from({ length: count }, () => recipientOf(next()))
  const reading = (recipient: Recipient): Reading => ({
    sender: sender.address,
    recipient,
    state: "opted-out",
    origin: "unknown"
  })
  const held = (count: number): ReadonlyArray<Reading> => {
    const found = new Map<number, Reading>()
    while (found.size < count) {
      const i = next()
      if (i % 1000 !== 0) found.set(i, reading(recipientOf(i)))
    }
    return [...found.values()]
  }
  const lane = (yield* claimLane(walkKey(account, sender), "measure", now, leaseMs))!
  const writing = (yield* claimLane("write", "measure", now, leaseMs))!
  const begun = { kind: "walk", startedBy: "measure", unguarded: false, marking: false } as const
  const walk = yield* beginWalk(account, sender, begun, lane, leaseMs, now)
  const runId = yield* beginRun({ kind: "sweep", accountId: account.id, startedBy: "measure", at: now })
  const context = { account, runId, basis: "listed", span: { beganAt: now, endedAt: now }, settle: 0 } as const
  const page = (readings: ReadonlyArray<Reading>) =>
    commitPage(walk, lane, leaseMs, context, { readings, problems: false, next: "more" })
  const strange = () => recipientOf((stranger += 1))
  const message = (): Observation => ({
    account: account.name,
    sender: sender.address,
    recipient: strange(),
    state: "opted-out",
    origin: "recipient",
    basis: "event",
    time: { notBefore: now, notAfter: now },
    reach: "pair",
    key: `event ${stranger}`,
    evidence: { messageId: `message ${stranger}`, keyword: "STOP" }
  })
  const write = Effect.fnUntraced(function* () {
    const context = { lane: writing, leaseMs, sender, state: "opted-out", policy: "strict" } as const
    const due = Array.from({ length: 100 }, () => numberOf(1000 * Math.ceil(next() / 1000)))
    const taken = yield* beginWrites(context, [...new Set(due)], now)
    yield* endWrites(
      context,
      taken.map((recipient) => ({ _tag: "Retryable", recipient, mayHaveApplied: false })),
      now
    )
  })

  const paths: ReadonlyArray<readonly [name: string, times: number, doing: Hot["doing"]]> = [
    // Those that leave nothing behind first: what is unsettled afterwards would be read by them.
    ["one person looked up", 1000, () => history(known(1)[0]!, "strict")],
    ["a page of 1000 without news", 100, () => page(held(1000))],
    ["a plan where nothing differs", 500, () => differences([{ account, sender, after: beyond }], "strict", 1000)],
    ["a plan's page of 1000", 30, () => differences([{ account, sender, after: 0 }], "strict", 1000)],
    ["blocks that were lifted, where none was", 30, () => liftedBlocks([{ account, sender, after: 0 }], "strict", 20)],
    ["whom to ask next, 500", 30, () => stalest(sender, now - 1, 500)],
    ["a check of 100", 100, () => commitCheck({ ...context, basis: "checked" }, sender, held(100), [])],
    ["100 writes, begun and ended", 50, write],
    ["one event, an opt-out that is news", 1000, () => ingest(account, [message()], now, 0)],
    ["a page of 1000 that is all news", 30, () => page(Array.from({ length: 1000 }, () => reading(strange())))]
  ]
  return paths.map(([name, times, doing]): Hot => ({ name, times, doing }))
})
