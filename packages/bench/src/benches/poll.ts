/**
 * Reading a list in which nothing has changed. The floor is the fetches alone.
 * Nothing may be written but the cursor: every row says which transaction wrote it.
 */
import { backfill, walk } from "@stopline/engine"
import { Effect } from "effect"
import { Bed, withClient } from "../bed.ts"
import { type Bench, inTurns, timed } from "../bench.ts"
import { pages } from "../list.ts"
import { factor, lasting, rate } from "../numbers.ts"
import { startProviders } from "../providers.ts"
import { stationOf, stopline } from "../stopline.ts"

const rows = 100_000
const goal = 0.9

export const pollBench: Bench = {
  name: "poll",
  run: Effect.fnUntraced(function* ({ rounds, share }) {
    const count = rows * share
    const providers = yield* startProviders({ people: count, optedOut: count })
    const url = yield* (yield* Bed).ledger
    return yield* Effect.gen(function* () {
      const station = yield* stationOf("ringcentral")
      const port = station.adapter.list._tag === "Can" ? station.adapter.list.port : yield* Effect.die("no list")
      yield* backfill<never, never>(station, { startedBy: "bench" })
      const poll = walk(station, port, undefined, { kind: "walk", startedBy: "bench", unguarded: false })
      yield* poll
      yield* Effect.promise(() => readAll(providers))
      const before = yield* Effect.promise(() => currentTransaction(url))
      // More often than other benches: it is soon done.
      const { ours, peer } = yield* inTurns(
        "poll",
        rounds * 3,
        () => timed(poll),
        () => timed(Effect.promise(() => readAll(providers)))
      )
      const written = yield* Effect.promise(() => writtenSince(url, before))
      const facts = [...written.keys()].filter((table) => !housekeeping.has(table))
      const ratio = peer.ms / ours.ms
      return [
        {
          bench: "poll",
          what: `a list of ${ours.value.pages} pages with nothing new`,
          ours: `${lasting(ours.ms)}, ${rate(count, ours.ms, "rows")}`,
          peer: `fetch: ${lasting(peer.ms)}, ${rate(count, peer.ms, "rows")}`,
          ratio,
          goal: `≥ ${factor(goal)}, 0 rows written but the cursor`,
          met: ratio >= goal && facts.length === 0,
          notes: [
            `rows written in ${rounds * 3} polls: ${[...written].map(([table, rows]) => `${table} ${rows}`).join(", ")}`
          ],
          work: { ours: ours.value.rows, peer: peer.value }
        }
      ]
    }).pipe(Effect.provide(stopline(url, providers)))
  })
}

/** The cursor, the lane it is held by, the gate, and the run that is accounted for. */
const housekeeping: ReadonlySet<string> = new Set(["walk", "lane", "pace", "run"])

const readAll = async ({ ringcentral }: Parameters<typeof stopline>[1]): Promise<number> => {
  let count = 0
  for await (const page of pages(ringcentral)) count += page.length
  return count
}

const currentTransaction = (url: string): Promise<number> =>
  withClient(url, async (client) => {
    const { rows } = await client.query<{ id: string }>("select pg_current_xact_id() as id")
    return Number(rows[0]?.id)
  })

/** Rows written by later transactions, by table; tables without any are left out. */
const writtenSince = (url: string, transaction: number): Promise<ReadonlyMap<string, number>> =>
  withClient(url, async (client) => {
    const tables = await client.query<{ name: string }>("select relname as name from pg_stat_user_tables order by 1")
    const written = new Map<string, number>()
    for (const { name } of tables.rows) {
      const { rows } = await client.query<{ count: number }>(
        `select count(*)::int as count from "${name}" where xmin::text::bigint > $1`,
        [transaction]
      )
      if ((rows[0]?.count ?? 0) > 0) written.set(name, rows[0]?.count ?? 0)
    }
    return written
  })
