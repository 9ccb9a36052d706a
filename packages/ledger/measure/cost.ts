/** What a thing costs that is done many times over. */
import { readFile } from "node:fs/promises"
import { Connection } from "@stopline/ledger"
import { Clock, Effect } from "effect"
import { sql } from "kysely"
import type { Hot } from "./hot.ts"

interface Cost {
  readonly name: string
  /** Processor time of the server process, microseconds: other work on the machine hardly shows in it. */
  readonly cpu: number
  /** Wall clock as the caller sees it, microseconds. */
  readonly wall: number
}

/** Nanoseconds that a process spent on a processor so far (Linux). */
const spentBy = (pid: number) =>
  Effect.map(
    Effect.promise(() => readFile(`/proc/${pid}/schedstat`, "utf8")),
    (text) => Number(text.split(" ")[0])
  )

/** Over the one connection there is, after a few times that do not count. */
export const costOf = Effect.fn("costOf")(function* ({ doing, name, times }: Hot) {
  const { query } = yield* Connection
  const { rows } = yield* query("pid", (db) => sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db))
  const spent = spentBy(rows[0]!.pid)
  for (let i = 0; i < times / 10; i++) yield* doing()
  const [cpu, wall] = [yield* spent, yield* Clock.currentTimeNanos]
  for (let i = 0; i < times; i++) yield* doing()
  return {
    name,
    cpu: ((yield* spent) - cpu) / 1000 / times,
    wall: Number((yield* Clock.currentTimeNanos) - wall) / 1000 / times
  } satisfies Cost
})
