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
import type { EverySender, Reading, SenderAddress } from "@stopline/consent"
import { Effect } from "effect"
import { type RawBuilder, sql } from "kysely"
import { Connection, instant } from "./connection.ts"
import type { LedgerError } from "./error.ts"
import { holdLane, type Lane } from "./lanes.ts"
import { believeAbsent, compare, type ReadingContext } from "./readings.ts"
import type { RegisteredAccount, RegisteredSender } from "./registry.ts"
import type { RunKind } from "./schema.ts"
import { lockAccount, type PairView } from "./views.ts"

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
      .selectAll("walk")
      .select("run.kind")
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

/** Begins a walk from the first page, in place of any before it. */
export const beginWalk = Effect.fn("Ledger.beginWalk")(function* (
  account: RegisteredAccount,
  sender: RegisteredSender | undefined,
  run: { readonly id: number; readonly kind: RunKind },
  marking: boolean,
  now: number
): Effect.fn.Return<Walk, LedgerError, Connection> {
  const connection = yield* Connection
  const key = walkKey(account, sender)
  const fresh = {
    account_id: account.id,
    sender_id: sender?.id ?? null,
    run_id: run.id,
    cursor: null,
    started_at: instant(now),
    pages: 0,
    rows: 0,
    seen_count: 0,
    seen_hash: "0",
    whole: true,
    marking,
    finished_at: null
  }
  yield* connection.transaction(
    "begin walk",
    connection.query("begin walk", async (db) => {
      await db.deleteFrom("walk_seen").where("key", "=", key).execute()
      await db
        .insertInto("walk")
        .values({ key, ...fresh })
        .onConflict((c) => c.column("key").doUpdateSet(fresh))
        .execute()
    })
  )
  return {
    key,
    account,
    sender,
    runId: run.id,
    kind: run.kind,
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
  return yield* connection.transaction(
    "commit page",
    Effect.gen(function* () {
      yield* lockAccount(walk.account.id)
      yield* holdLane(lane, context.span.endedAt, leaseMs)
      const { optedOut: seen, recorded } = yield* compare(context, page.readings)
      const senders = seen.map((pair) => pair.senderId)
      const recipients = seen.map((pair) => pair.recipient)
      const next: Walk = {
        ...walk,
        cursor: page.next,
        pages: walk.pages + 1,
        rows: walk.rows + page.readings.length,
        whole: walk.whole && !page.problems
      }
      yield* connection.query("commit page", (db) =>
        sql`
          update walk set cursor = ${page.next ?? null}, pages = ${next.pages}, rows = ${next.rows}, whole = ${next.whole},
            seen_count = seen_count + ${seen.length},
            seen_hash = seen_hash # (
              select coalesce(bit_xor(${pairHash(sql`p.recipient`, sql`p.sender_id`)}), 0)
              from unnest(${senders}::int[], ${recipients}::bigint[]) as p(sender_id, recipient)),
            finished_at = ${page.next === undefined ? instant(context.span.endedAt) : null}::timestamptz
          where key = ${walk.key}`.execute(db)
      )
      if (walk.marking) {
        yield* connection.query("mark seen", (db) =>
          sql`
            insert into walk_seen (key, sender_id, recipient)
            select ${walk.key}, p.sender_id, p.recipient from unnest(${senders}::int[], ${recipients}::bigint[]) as p(sender_id, recipient)
            on conflict do nothing`.execute(db)
        )
      }
      return { walk: next, news: recorded.length }
    })
  )
})

const pairHash = (recipient: RawBuilder<unknown>, sender: RawBuilder<unknown>) =>
  sql`hashint8extended(${recipient}, ${sender}::bigint)`

/** The pairs a walk speaks of: those of its sender, or of every sender of the account. */
const inScope = (walk: Walk) =>
  walk.sender === undefined
    ? sql`v.sender_id in (select id from sender where account_id = ${walk.account.id})`
    : sql`v.sender_id = ${walk.sender.id}`

/** Whether a finished walk saw exactly the pairs that its provider was known to hold. */
export const sawAll = Effect.fn("Ledger.sawAll")(function* (
  walk: Walk
): Effect.fn.Return<boolean, LedgerError, Connection> {
  const { query } = yield* Connection
  const result = yield* query("saw all", (db) =>
    sql<{ same: boolean }>`
      select w.seen_count = k.count and w.seen_hash = k.hash as same
      from walk w, (
        select count(*) as count, coalesce(bit_xor(${pairHash(sql`v.recipient`, sql`v.sender_id`)}), 0) as hash
        from view v where ${inScope(walk)} and v.held = 'opted-out') k
      where w.key = ${walk.key}`.execute(db)
  )
  return result.rows[0]?.same === true
})

export interface Absences {
  /** Held before, and not shown by this marking walk for the first time. */
  readonly once: ReadonlyArray<PairView>
  /** Held before, and shown neither by this walk nor by the finished marking walk before it. */
  readonly twice: ReadonlyArray<PairView>
  /** Pairs the provider was known to hold. */
  readonly known: number
}

/** What a finished marking walk did not show. Pairs that changed since it began are left out: it cannot speak of them. */
export const absences = Effect.fn("Ledger.absences")(function* (
  walk: Walk
): Effect.fn.Return<Absences, LedgerError, Connection> {
  const { query } = yield* Connection
  const result = yield* query("absences", (db) =>
    sql<{
      senderId: number
      recipient: number
      readAt: number
      absentAt: number | null
      writtenAt: number | null
      writtenBegunAt: number | null
      written: PairView["view"]["held"] | null
      echoDue: boolean
    }>`
      select v.sender_id as "senderId", v.recipient, v.read_at as "readAt", v.absent_at as "absentAt",
        v.written, v.written_begun_at as "writtenBegunAt", v.written_at as "writtenAt", v.echo_due as "echoDue"
      from view v
      where ${inScope(walk)} and v.held = 'opted-out' and v.intent is null and v.read_at < ${instant(walk.startedAt)}
        and not exists (select from walk_seen s where s.key = ${walk.key} and s.sender_id = v.sender_id and s.recipient = v.recipient)
      order by v.sender_id, v.recipient`.execute(db)
  )
  const known = yield* query("absences", (db) =>
    sql<{
      count: number
    }>`select count(*) as count from view v where ${inScope(walk)} and v.held = 'opted-out'`.execute(db)
  )
  const pairs = result.rows.map((row): PairView => ({
    senderId: row.senderId,
    recipient: row.recipient,
    absentAt: row.absentAt ?? undefined,
    view: {
      held: "opted-out",
      readAt: row.readAt,
      liftedAt: undefined,
      intent: undefined,
      written:
        row.written == null
          ? undefined
          : { state: row.written, begunAt: row.writtenBegunAt ?? row.readAt, endedAt: row.writtenAt ?? row.readAt },
      echoDue: row.echoDue
    }
  }))
  const suspected = (pair: PairView) => pair.absentAt !== undefined && pair.absentAt < walk.startedAt
  return {
    once: pairs.filter((pair) => !suspected(pair)),
    twice: pairs.filter(suspected),
    known: known.rows[0]?.count ?? 0
  }
})

/** Stores what a marking walk missed: the first time as a suspicion, the second time as news. */
export const commitAbsences = Effect.fn("Ledger.commitAbsences")(function* (
  walk: Walk,
  lane: Lane,
  leaseMs: number,
  context: ReadingContext,
  missed: Absences,
  address: (senderId: number) => SenderAddress | EverySender
): Effect.fn.Return<number, LedgerError, Connection> {
  const connection = yield* Connection
  const now = context.span.endedAt
  return yield* connection.transaction(
    "commit absences",
    Effect.gen(function* () {
      yield* lockAccount(walk.account.id)
      yield* holdLane(lane, now, leaseMs)
      yield* connection.query("commit absences", (db) =>
        sql`
          update view v set absent_at = ${instant(now)}
          from unnest(${missed.once.map((p) => p.senderId)}::int[], ${missed.once.map((p) => p.recipient)}::bigint[]) as p(sender_id, recipient)
          where v.sender_id = p.sender_id and v.recipient = p.recipient and v.held = 'opted-out' and v.read_at < ${instant(walk.startedAt)}`.execute(
          db
        )
      )
      const news = yield* believeAbsent(context, missed.twice, address)
      return news.length
    })
  )
})
