/**
 * A list of people who opted out, from elsewhere. Opt-outs only: nobody is opted
 * in by an import (L3). What it finds waits for a plan and its guard, like
 * whatever is found in bulk.
 */
import type { EverySender, Interval, Observation, Recipient, SenderAddress } from "@stopline/consent"
import { by, notLaterThan } from "@stopline/consent"
import { beginRun, type Connection, endRun, ingest, type LedgerError, type RegisteredAccount } from "@stopline/ledger"
import { Clock, Effect, Stream } from "effect"
import { Fleet } from "./fleet.ts"
import { report } from "./progress.ts"

/** Where somebody opted out: at one sender, or at every sender of an account, those it will have included. */
export interface OptedOutAt {
  readonly account: RegisteredAccount
  readonly sender: SenderAddress | EverySender
}

export interface OptOutRow {
  readonly recipient: Recipient
  readonly places: ReadonlyArray<OptedOutAt>
  /** Absent where the list does not say: some time before it was imported. */
  readonly time?: Interval
}

export interface ImportRequest<E, R> {
  /** What to call it while it runs. */
  readonly name: string
  /**
   * The identity of what is in the list, such as its digest. A row without a time,
   * or of a day that is not over, is the same fact only in the same list (L11): a
   * later list says that somebody opted out again, maybe after a START (L4).
   */
  readonly source: string
  readonly startedBy: string
  readonly rows: Stream.Stream<OptOutRow, E, R>
  readonly rowCount?: number
  /** Rows that could not be read, for the record. */
  readonly refused?: number
}

export interface ImportReport {
  readonly rows: number
  /** Rows that said something new. */
  readonly news: number
}

/** Stores a list. Killed and begun again it goes on: what is stored already is no news. */
export const importOptOuts = Effect.fn("importOptOuts")(function* <E, R>(
  request: ImportRequest<E, R>
): Effect.fn.Return<ImportReport, LedgerError | E, Connection | Fleet | R> {
  const { name, refused = 0, rowCount, source, startedBy } = request
  const { settings } = yield* Fleet
  const startedAt = yield* Clock.currentTimeMillis
  const runId = yield* beginRun({ kind: "import", accountId: null, startedBy, at: startedAt })
  let rows = 0
  let news = 0
  yield* request.rows.pipe(
    Stream.grouped(settings.pageRows),
    Stream.runForEach((batch) =>
      Effect.gen(function* () {
        news += yield* store(batch, source, runId)
        rows += batch.length
        const total = rowCount === undefined ? {} : { total: rowCount }
        yield* report({ kind: "import", account: name, done: rows, ...total, unit: "rows" })
      })
    )
  )
  yield* endRun(runId, "completed", { rows, news, refused }, yield* Clock.currentTimeMillis)
  return { rows, news }
})

/** Stores some rows, a transaction for each account, and counts those that said something new. */
const store = Effect.fnUntraced(function* (batch: ReadonlyArray<OptOutRow>, source: string, runId: number) {
  const { settings } = yield* Fleet
  const now = yield* Clock.currentTimeMillis
  const rowOf = new Map<Observation, OptOutRow>()
  const byAccount = new Map<RegisteredAccount, Array<Observation>>()
  for (const row of batch) {
    for (const place of row.places) {
      const observation = observe(row, place, source, now)
      rowOf.set(observation, row)
      const sameAccount = byAccount.get(place.account)
      if (sameAccount === undefined) byAccount.set(place.account, [observation])
      else sameAccount.push(observation)
    }
  }
  const news = new Set<OptOutRow | undefined>()
  for (const [account, observations] of byAccount) {
    const { recorded } = yield* ingest(account, observations, now, settings.echoMs, runId)
    for (const { observation } of recorded) news.add(rowOf.get(observation))
  }
  return news.size
})

const observe = (row: OptOutRow, { account, sender }: OptedOutAt, source: string, now: number): Observation => {
  const { time } = row
  // What a file says of today, a later one may say again of something that has happened since.
  const isOver = time !== undefined && time.notAfter <= now
  const told = isOver ? `${time.notBefore}..${time.notAfter}` : source
  return {
    account: account.name,
    sender,
    recipient: row.recipient,
    state: "opted-out",
    origin: "import",
    basis: "imported",
    time: time === undefined ? by(now) : notLaterThan(time, now),
    reach: "pair",
    key: `imported:${sender}:${told}`,
    evidence: {}
  }
}
