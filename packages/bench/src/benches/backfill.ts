/**
 * Reading a long list for the first time. The floor fetches the same pages, copies
 * them into a table as they come, and makes one upsert of them.
 */
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { backfill, Progress } from "@stopline/engine"
import { Effect } from "effect"
import { from as copyFrom } from "pg-copy-streams"
import { Bed, withClient } from "../bed.ts"
import { type Bench, inTurns, timed } from "../bench.ts"
import { type Listed, pages } from "../list.ts"
import { factor, lasting, megabytes, rate } from "../numbers.ts"
import { type Providers, startProviders } from "../providers.ts"
import { stationOf, stopline } from "../stopline.ts"

const rows = 1_000_000
const goal = 0.8

export const backfillBench: Bench = {
  name: "backfill",
  run: Effect.fnUntraced(function* ({ rounds, share }) {
    const count = rows * share
    const providers = yield* startProviders({ people: count, optedOut: count })
    const { ours, peer } = yield* inTurns(
      "backfill",
      rounds,
      () => Effect.scoped(byStopline(providers)),
      () => Effect.scoped(byCopy(providers))
    )
    const ratio = peer.ms / ours.ms
    const { early, late } = ours.value.memory
    return [
      {
        bench: "backfill",
        what: `${count.toLocaleString("en")} opt-outs from RingCentral's list`,
        ours: `${lasting(ours.ms)}, ${rate(count, ours.ms, "rows")}`,
        peer: `fetch + COPY + upsert: ${lasting(peer.ms)}, ${rate(count, peer.ms, "rows")}`,
        ratio,
        goal: `≥ ${factor(goal)}`,
        met: ratio >= goal,
        notes: [`memory (RSS) after a tenth of the pages ${megabytes(early)}, at the end ${megabytes(late)}`],
        work: { ours: ours.value.stored, peer: peer.value }
      }
    ]
  })
}

const byStopline = Effect.fnUntraced(function* (providers: Providers) {
  const url = yield* (yield* Bed).ledger
  return yield* Effect.gen(function* () {
    const station = yield* stationOf("ringcentral")
    const memory: Array<number> = []
    const { ms } = yield* timed(
      Effect.provideService(backfill<never, never>(station, { startedBy: "bench" }), Progress, () =>
        Effect.sync(() => void memory.push(process.memoryUsage.rss()))
      )
    )
    const value = {
      stored: yield* Effect.promise(() => countOf(url, "standing")),
      memory: { early: memory[Math.floor(memory.length / 10)] ?? 0, late: memory.at(-1) ?? 0 }
    }
    return { ms, value }
  }).pipe(Effect.provide(stopline(url, providers)))
})

const countOf = (url: string, table: string): Promise<number> =>
  withClient(url, async (client) => {
    const { rows } = await client.query<{ count: string }>(`select count(*) as count from ${table}`)
    return Number(rows[0]?.count)
  })

const byCopy = Effect.fnUntraced(function* (providers: Providers) {
  const url = yield* (yield* Bed).database
  const { ms } = yield* timed(Effect.promise(() => copy(url, providers)))
  return { ms, value: yield* Effect.promise(() => countOf(url, "opt_out")) }
})

const copy = (url: string, { ringcentral }: Providers): Promise<void> =>
  withClient(url, async (client) => {
    await client.query(`
      create table opt_out (sender text, recipient bigint, state text, source text, at timestamptz, primary key (sender, recipient));
      create temp table page (like opt_out)`)
    await pipeline(
      Readable.from(lines(pages(ringcentral))),
      client.query(copyFrom("copy page from stdin (format csv)"))
    )
    await client.query(`
      insert into opt_out select distinct on (sender, recipient) * from page order by sender, recipient, at desc
      on conflict (sender, recipient) do update set state = excluded.state, source = excluded.source, at = excluded.at`)
  })

async function* lines(list: AsyncIterable<ReadonlyArray<Listed>>): AsyncGenerator<string> {
  for await (const page of list) {
    yield page
      .map((one) => `${one.from},${one.to.slice(1)},${one.optStatus},${one.source},${one.lastModifiedTime}\n`)
      .join("")
  }
}
