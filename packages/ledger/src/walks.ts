/**
 * Walks: a complete list read page by page.
 *
 * The cursor moves in the transaction that stores its page (L1), so a walk that
 * dies goes on where it was. Only a finished walk speaks of absence (L6). It
 * does so without writing a row for what it saw: a count and a hash of all pairs
 * seen are set against those of the views. Only when they differ does the next
 * walk mark what it sees, and only what two finished walks miss is believed gone:
 * a row may move while the list is read.
 */
import type { Reading } from "@stopline/consent"
import { Effect } from "effect"
import { type RawBuilder, sql } from "kysely"
import { digits } from "./codec.ts"
import { Connection, instant } from "./connection.ts"
import type { LedgerError } from "./error.ts"
import { fenced, holding, type Lane, lockHolding } from "./lanes.ts"
import { inDoubt } from "./must.ts"
import { compare, type ReadingContext } from "./readings.ts"
import type { RegisteredAccount, RegisteredSender } from "./registry.ts"
import type { RunKind } from "./schema.ts"
import { type Pair, pairKey } from "./views.ts"

export interface Walk {
  /** Also the key of the lane that the walk holds. */
  readonly key: string
  readonly account: RegisteredAccount
  /** Undefined: the whole account. */
  readonly sender: RegisteredSender | undefined
  readonly runId: number
  readonly kind: RunKind
  readonly cursor: string | undefined
  readonly startedAt: number
  readonly pages: number
  readonly rows: number
  /** Every row of every page could be understood. */
  readonly whole: boolean
  /** What is seen is written down, because an earlier walk missed something. */
  readonly marking: boolean
}

export const walkKey = (account: RegisteredAccount, sender: RegisteredSender | undefined): string =>
  sender === undefined ? `read:${account.name}` : `read:${account.name}/${sender.address}`

/** The walk that was begun and not finished, if there is one. */
export const unfinishedWalk = Effect.fn("Ledger.unfinishedWalk")(function* (
  account: RegisteredAccount,
  sender: RegisteredSender | undefined
): Effect.fn.Return<Walk | undefined, LedgerError, Connection> {
  const { query } = yield* Connection
  const row = yield* query("unfinished walk", (db) =>
    db
      .selectFrom("walk")
      .innerJoin("run", "run.id", "walk.run_id")
      .select(["key", "run_id", "cursor", "walk.started_at", "pages", "rows", "whole", "marking", "run.kind"])
      .where("key", "=", walkKey(account, sender))
      .where("finished_at", "is", null)
      .executeTakeFirst()
  )
  return row === undefined
    ? undefined
    : {
        key: row.key,
        account,
        sender,
        runId: row.run_id,
        kind: row.kind,
        cursor: row.cursor ?? undefined,
        startedAt: row.started_at,
        pages: row.pages,
        rows: row.rows,
        whole: row.whole,
        marking: row.marking
      }
})

export interface WalkBegun {
  readonly kind: RunKind
  readonly startedBy: string
  /** What it finds may be carried in bulk without a guard. */
  readonly unguarded: boolean
  readonly marking: boolean
}

/** Begins a walk from the first page, in place of any before it, and the run that it is. Fails `fenced` when its lane is lost. */
export const beginWalk = Effect.fn("Ledger.beginWalk")(function* (
  account: RegisteredAccount,
  sender: RegisteredSender | undefined,
  begun: WalkBegun,
  lane: Lane,
  leaseMs: number,
  now: number
): Effect.fn.Return<Walk, LedgerError, Connection> {
  const { query } = yield* Connection
  const { kind, marking, startedBy, unguarded } = begun
  const key = walkKey(account, sender)
  const { rows } = yield* query("begin walk", (db) =>
    sql<{ runId: number }>`
      with held as (${holding(lane, now, leaseMs)}),
      begun as (
        insert into run (kind, account_id, started_by, started_at, unguarded)
        select ${kind}, ${account.id}::int, ${startedBy}, ${instant(now)}::timestamptz, ${unguarded}::bool from held
        returning id),
      forgotten as (delete from walk_seen where key = ${key} and exists (select from held))
      insert into walk (key, account_id, sender_id, run_id, started_at, pages, rows, seen_count, seen_hash, whole, marking)
      select ${key}, ${account.id}::int, ${sender?.id ?? null}::int, id, ${instant(now)}::timestamptz, 0, 0, 0, 0, true, ${marking}::bool from begun
      on conflict (key) do update set
        account_id = excluded.account_id, sender_id = excluded.sender_id, run_id = excluded.run_id, cursor = null,
        started_at = excluded.started_at, pages = 0, rows = 0, seen_count = 0, seen_hash = 0, whole = true,
        marking = excluded.marking, finished_at = null
      returning run_id as "runId"`.execute(db)
  )
  const runId = rows[0]?.runId
  if (runId === undefined) return yield* fenced(lane)
  return {
    key,
    account,
    sender,
    runId,
    kind,
    cursor: undefined,
    startedAt: now,
    pages: 0,
    rows: 0,
    whole: true,
    marking
  }
})

/** Gives a walk up: the next one begins at the first page, and this one says nothing about absence. */
export const abandonWalk = Effect.fn("Ledger.abandonWalk")(function* (
  walk: Walk,
  now: number
): Effect.fn.Return<void, LedgerError, Connection> {
  const { query } = yield* Connection
  yield* query("abandon walk", (db) =>
    db
      .updateTable("walk")
      .set({ whole: false, finished_at: instant(now) })
      .where("key", "=", walk.key)
      .execute()
  )
})

export interface PageCommit {
  readonly readings: ReadonlyArray<Reading>
  /** Some row of the page could not be understood. */
  readonly problems: boolean
  /** Undefined: this was the last page. */
  readonly next: string | undefined
}

/** Stores a page, what follows from it, and the cursor behind it: all or nothing. Returns the walk as it then stands, and the news in it. */
export const commitPage = Effect.fn("Ledger.commitPage")(function* (
  walk: Walk,
  lane: Lane,
  leaseMs: number,
  context: ReadingContext,
  page: PageCommit
): Effect.fn.Return<{ readonly walk: Walk; readonly news: number }, LedgerError, Connection> {
  const connection = yield* Connection
  const next: Walk = {
    ...walk,
    cursor: page.next,
    pages: walk.pages + 1,
    rows: walk.rows + page.readings.length,
    whole: walk.whole && !page.problems
  }
  const endedAt = context.span.endedAt
  const expected = walk.marking ? undefined : expectedPairs(walk.account, page.readings)
  if (expected !== undefined) {
    // Nearly every page says what is known. That takes one statement and no lock: what was known while the page was
    // read is what it is set against, and whatever changes it meanwhile is news of its own.
    const moved = yield* connection.query("commit page", (db) =>
      sql`
        with seen as (select * from ${unnest(expected)}),
        news as (
          select from seen left join view v using (sender_id, recipient)
          where v.held is distinct from 'opted-out' or v.absent_at is not null or ${inDoubt} limit 1),
        held as (${holding(lane, endedAt, leaseMs, sql`not exists (select from news)`)})
        ${moveCursor(next, expected.length, sql`seen as p`, endedAt)} and exists (select from held)
        returning 1`.execute(db)
    )
    if (moved.rows.length > 0) return { walk: next, news: 0 }
  }
  return yield* connection.transaction(
    "commit page",
    Effect.gen(function* () {
      yield* lockHolding(walk.account.id, lane, endedAt, leaseMs)
      const { optedOut: seen, recorded } = yield* compare(context, page.readings)
      yield* connection.query("commit page", (db) => moveCursor(next, seen.length, unnest(seen), endedAt).execute(db))
      if (walk.marking) {
        yield* connection.query("mark seen", (db) =>
          sql`
            insert into walk_seen (key, sender_id, recipient)
            select ${walk.key}, p.sender_id, p.recipient from ${unnest(seen)}
            on conflict do nothing`.execute(db)
        )
      }
      return { walk: next, news: recorded.length }
    })
  )
})

/** The pairs of a page on which everybody is opted out, by senders that are ours, once each; undefined for any other page. */
const expectedPairs = (
  account: RegisteredAccount,
  readings: ReadonlyArray<Reading>
): ReadonlyArray<Pair> | undefined => {
  const ids = new Map<string, number>(account.senders.map((sender) => [sender.address, sender.id]))
  const pairs = new Map<string, Pair>()
  for (const { recipient, sender, state } of readings) {
    const senderId = ids.get(sender)
    if (senderId === undefined || state !== "opted-out") return undefined
    const pair = { senderId, recipient: digits(recipient) }
    pairs.set(pairKey(pair), pair)
  }
  return [...pairs.values()]
}

/** `p(sender_id, recipient)` */
const unnest = (pairs: ReadonlyArray<Pair>) => sql`
  unnest(${pairs.map((pair) => pair.senderId)}::int[], ${pairs.map((pair) => pair.recipient)}::bigint[]) as p(sender_id, recipient)`

/** The walk as it stands behind a page on which so many pairs were seen, `p(sender_id, recipient)`. */
const moveCursor = (walk: Walk, count: number, pairs: RawBuilder<unknown>, endedAt: number) => sql`
  update walk set cursor = ${walk.cursor ?? null}, pages = ${walk.pages}, rows = ${walk.rows}, whole = ${walk.whole},
    seen_count = seen_count + ${count},
    seen_hash = seen_hash # (
      select coalesce(bit_xor(${pairHash(sql`p.recipient`, sql`p.sender_id`)}), 0) from ${pairs}),
    finished_at = ${walk.cursor === undefined ? instant(endedAt) : null}::timestamptz
  where key = ${walk.key}`

/** One number for a pair; xor of them is one number for a set of pairs. */
export const pairHash = (recipient: RawBuilder<unknown>, sender: RawBuilder<unknown>) =>
  sql`hashint8extended(${recipient}, ${sender}::bigint)`
