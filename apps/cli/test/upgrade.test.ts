/** A newer version has moved the database on, and an older one is started on it. */
import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeWorld } from "../../worker/test/world.ts"
import { run } from "./cli.ts"

it.live("an older stopline says that the database is a newer one's, and leaves it alone", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    // What a later release's migration leaves behind: its name, and what it has changed.
    yield* world.sql("alter table standing add column looked_at timestamptz")
    yield* world.sql("insert into kysely_migration (name, timestamp) values ('9000-newer', '2030-01-01T00:00:00Z')")
    for (const command of ["up", "plan", "doctor"]) {
      const { code, err, out } = yield* run(world, command)
      expect([command, code, out]).toEqual([command, 1, ""])
      expect(err.trim()).toBe(
        "stopline: ledger: migrate: this database was made by a newer Stopline; run that version, or use another database"
      )
    }
    expect(yield* world.sql("select from account")).toEqual([])
  })
)
