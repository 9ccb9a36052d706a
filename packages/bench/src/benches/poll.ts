/**
 * Reading a list in which nothing has changed. The floor is the fetches alone.
 * Nothing may be written but the cursor: Postgres' own counters say what was.
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
      const before = yield* Effect.promise(() => written(url))
      // More often than other benches: it is soon done.
      const { ours, peer } = yield* inTurns(
        "poll",
        rounds * 3,
        () => timed(poll),
        () => timed(Effect.promise(() => readAll(providers)))
      )
      const after = yield* Effect.promise(() => written(url))
      const wrote = [...after].map(([table, rows]) => [table, rows - (before.get(table) ?? 0)] as const)
      const facts = wrote.filter(([table, rows]) => rows > 0 && !housekeeping.has(table))
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
            `rows written in ${rounds * 3} polls: ${wrote
              .filter(([, rows]) => rows > 0)
              .map(([table, rows]) => `${table} ${rows}`)
              .join(", ")}`
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

/** Rows inserted, updated and deleted so far, by table. Statistics are flushed once a second unless asked for. */
const written = (url: string): Promise<ReadonlyMap<string, number>> =>
  withClient(url, async (client) => {
    await client.query("select pg_sleep(1.5)")
    const { rows } = await client.query<{ name: string; rows: number }>(
      "select relname as name, (n_tup_ins + n_tup_upd + n_tup_del)::int as rows from pg_stat_user_tables"
    )
    return new Map(rows.map(({ name, rows }) => [name, rows]))
  })
