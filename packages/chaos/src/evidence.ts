/** What whoever mends a failure needs, saved before the world is closed: who said what, what the ledger knows, who wrote. */
import { writeFile } from "node:fs/promises"
import path from "node:path"
import { Effect } from "effect"
import type { World } from "./world.ts"

const tables = ["observation", "standing", "opt_in", "view"]

/** @param pairs `sender person` that are not as they must be; of their people everything is saved */
export const saveEvidence = Effect.fn("saveEvidence")(function* (
  { database, folder, record, writes }: World,
  pairs: ReadonlyArray<string>
) {
  const people = [...new Set(pairs.map((pair) => pair.split(" ")[1] ?? ""))].slice(0, 20)
  const digits = people.map((person) => person.slice(1)).join(",")
  const rows = yield* Effect.forEach(tables, (table) =>
    people.length === 0
      ? Effect.succeed([])
      : database.query(`select * from ${table} where recipient in (${digits}) order by recipient`)
  )
  const evidence = {
    words: people.map((person) => record.of(person)),
    writes: writes.filter(({ recipients }) => recipients.some((one) => people.includes(one))),
    ...Object.fromEntries(tables.map((table, index) => [table, rows[index]])),
    senders: yield* database.query("select * from sender"),
    lanes: yield* database.query("select * from lane"),
    halts: yield* database.query("select * from halt"),
    activity: yield* database.query(
      "select pid, state, wait_event, now() - state_change as since, query from pg_stat_activity where datname is not null"
    )
  }
  yield* Effect.promise(() => writeFile(path.join(folder, "evidence.json"), JSON.stringify(evidence, null, 2)))
})
