/** What providers were last known to hold, read and written many pairs at a time. */
import type { View } from "@stopline/consent"
import { Effect } from "effect"
import { sql } from "kysely"
import { Connection, instant, maybeInstant } from "./connection.ts"
import type { LedgerError } from "./error.ts"

export interface Pair {
  readonly senderId: number
  readonly recipient: number
}

export interface PairView extends Pair {
  readonly view: View.View
  /** A finished walk did not show it (ms); a second one will be believed. */
  readonly absentAt?: number | undefined
  /** The event that was the echo of our last write. Sent again it is still no news. */
  readonly echoKey?: string | undefined
}

export const pairKey = (pair: Pair): string => `${pair.senderId}:${pair.recipient}`

export interface ViewRow {
  readonly sender_id: number
  readonly recipient: number
  readonly held: View.View["held"] | null
  readonly read_at: number
  readonly lifted_at: number | null
  readonly doubted_at: number | null
  readonly intent: View.View["intent"] | null
  readonly written: View.View["held"] | null
  readonly written_begun_at: number | null
  readonly written_at: number | null
  readonly echo_due: boolean
  readonly overwritten: View.View["held"] | null
  readonly overwritten_begun_at: number | null
  readonly overwritten_at: number | null
  readonly absent_at: number | null
  readonly echo_key: string | null
}

const toView = (row: ViewRow): PairView => ({
  senderId: row.sender_id,
  recipient: row.recipient,
  view: {
    held: row.held ?? undefined,
    readAt: row.read_at,
    liftedAt: row.lifted_at ?? undefined,
    intent: row.intent ?? undefined,
    ...(row.intent != null && row.written_begun_at != null && { intentAt: row.written_begun_at }),
    written:
      row.written == null
        ? undefined
        : { state: row.written, begunAt: row.written_begun_at ?? row.read_at, endedAt: row.written_at ?? row.read_at },
    echoDue: row.echo_due,
    ...(row.doubted_at != null && { doubtedAt: row.doubted_at }),
    ...(row.overwritten != null &&
      row.overwritten_begun_at != null &&
      row.overwritten_at != null && {
        overwritten: { state: row.overwritten, begunAt: row.overwritten_begun_at, endedAt: row.overwritten_at }
      })
  },
  absentAt: row.absent_at ?? undefined,
  echoKey: row.echo_key ?? undefined
})

/** What a `ViewRow` needs of a view `v`. */
const viewColumns = sql`v.sender_id, v.recipient, v.held, v.read_at, v.lifted_at, v.doubted_at, v.intent, v.written, v.written_begun_at, v.written_at, v.echo_due, v.overwritten, v.overwritten_begun_at, v.overwritten_at, v.absent_at, v.echo_key`

/** The views of these pairs, by `pairKey`; pairs of which nothing is known are absent. */
export const loadViews = Effect.fn("Ledger.loadViews")(function* (
  pairs: ReadonlyArray<Pair>
): Effect.fn.Return<Map<string, PairView>, LedgerError, Connection> {
  const { query } = yield* Connection
  const result = yield* query("load views", (db) =>
    sql<ViewRow>`
      select ${viewColumns}
      from unnest(${pairs.map((pair) => pair.senderId)}::int[], ${pairs.map((pair) => pair.recipient)}::bigint[]) as p(sender_id, recipient)
      join view v using (sender_id, recipient)`.execute(db)
  )
  return new Map(
    result.rows.map((row) => [pairKey({ senderId: row.sender_id, recipient: row.recipient }), toView(row)])
  )
})

/** Stores views as they now are, but for what we wrote, which only writes change. A pair once refused is given another chance when somebody else moved it. */
export const saveViews = Effect.fn("Ledger.saveViews")(function* (
  views: ReadonlyArray<PairView>
): Effect.fn.Return<void, LedgerError, Connection> {
  if (views.length === 0) return
  const { query, wrote } = yield* Connection
  wrote(views.length)
  const column = <A>(pick: (row: PairView) => A) => views.map(pick)
  yield* query("save views", (db) =>
    sql`
      insert into view as v (sender_id, recipient, held, read_at, lifted_at, doubted_at, echo_due, absent_at, echo_key, overwritten, overwritten_begun_at, overwritten_at, asked_at)
      select u.*, u.read_at from unnest(
        ${column((r) => r.senderId)}::int[],
        ${column((r) => r.recipient)}::bigint[],
        ${column((r) => r.view.held ?? null)}::consent_state[],
        ${column((r) => instant(r.view.readAt))}::timestamptz[],
        ${column((r) => maybeInstant(r.view.liftedAt))}::timestamptz[],
        ${column((r) => maybeInstant(r.view.doubtedAt))}::timestamptz[],
        ${column((r) => r.view.echoDue)}::bool[],
        ${column((r) => maybeInstant(r.absentAt))}::timestamptz[],
        ${column((r) => r.echoKey ?? null)}::text[],
        ${column((r) => r.view.overwritten?.state ?? null)}::consent_state[],
        ${column((r) => maybeInstant(r.view.overwritten?.begunAt))}::timestamptz[],
        ${column((r) => maybeInstant(r.view.overwritten?.endedAt))}::timestamptz[]
      ) as u(sender_id, recipient, held, read_at, lifted_at, doubted_at, echo_due, absent_at, echo_key, overwritten, overwritten_begun_at, overwritten_at)
      on conflict (sender_id, recipient) do update set
        held = excluded.held, read_at = excluded.read_at, lifted_at = excluded.lifted_at,
        doubted_at = excluded.doubted_at,
        echo_due = excluded.echo_due, overwritten = excluded.overwritten,
        overwritten_begun_at = excluded.overwritten_begun_at, overwritten_at = excluded.overwritten_at,
        absent_at = excluded.absent_at, echo_key = coalesce(excluded.echo_key, v.echo_key), asked_at = greatest(v.asked_at, excluded.asked_at),
        refused = case when v.held is distinct from excluded.held then null else v.refused end,
        refused_until = case when v.held is distinct from excluded.held then null else v.refused_until end`.execute(db)
  )
})
