/** Opt-outs that an application tells of: when they were said, and what becomes of those that cannot be believed. */
import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { ask, keyFor } from "./api.ts"
import { startWorker } from "./worker.ts"
import { makeWorld, tenDlc } from "./world.ts"

const opened = Effect.gen(function* () {
  const world = yield* makeWorld()
  yield* startWorker(world)
  const key = yield* keyFor(world, "crm", "attest")
  const post = (path: string, body: unknown, type = "application/json") =>
    Effect.map(ask(world.url, key, path, body, { "content-type": type }), (answer) => answer.body)
  const mayText = (recipient: string) =>
    Effect.map(post("/v1/check", { sender: tenDlc, recipients: [recipient] }), ({ results }) => results[0].mayText)
  return { mayText, people: world.sandbox.people, post }
})

describe.concurrent("an import over HTTP", () => {
  it.live("needs to know when: who says it again after a START would be taken for the one of before (L1)", () =>
    Effect.gen(function* () {
      const { mayText, people, post } = yield* opened
      const [one = "", two = ""] = people
      const why = expect.stringMatching(/opted_out_at.*\?at=/)
      const rows = [{ recipient: one }, { recipient: two, opted_out_at: "2026-01-05" }]
      expect(yield* post("/v1/imports", { rows })).toMatchObject({ rows: 1, news: 1, refused: [{ line: 1, why }] })
      const csv = `recipient,opted_out_at\n${two},2026-01-05\n${one},\n`
      expect(yield* post("/v1/imports", csv, "text/csv")).toMatchObject({
        rows: 1,
        news: 0,
        refused: [{ line: 3, why }]
      })
      expect(yield* mayText(one)).toBe(true)
      const dated = yield* post("/v1/imports?at=2026-01-05", { rows })
      expect(dated).toMatchObject({ rows: 2, news: 1, refused: [] })
      expect(yield* mayText(one)).toBe(false)
    })
  )

  it.live("of a day that is not over counts again after a START of that day (L1, L4)", () =>
    Effect.gen(function* () {
      const { mayText, people, post } = yield* opened
      const [one = ""] = people
      const now = Effect.map(Clock.currentTimeMillis, (ms) => new Date(ms).toISOString())
      const rows = [{ recipient: one, opted_out_at: (yield* now).slice(0, 10), sender: tenDlc }]
      const said = { recipient: one, sender: tenDlc, state: "opted-in", by: "Jane Doe", how: "phone call" }
      expect((yield* post("/v1/imports", { rows })).news).toBe(1)
      expect(yield* mayText(one)).toBe(false)
      yield* Effect.sleep("20 millis")
      yield* post("/v1/attestations", { ...said, at: yield* now })
      expect(yield* mayText(one)).toBe(true)
      yield* Effect.sleep("20 millis")
      expect((yield* post("/v1/imports", { rows })).news).toBe(1)
      expect(yield* mayText(one)).toBe(false)
    })
  )

  it.live("names the first thousand rows that it refused, and counts them all", () =>
    Effect.gen(function* () {
      const { people, post } = yield* opened
      const good = { recipient: people[0], opted_out_at: "2026-01-05" }
      const rows = [...Array.from({ length: 1_500 }, () => ({ recipient: "nobody" })), good]
      const csv = rows.map(({ recipient }) => recipient).join("\n")
      for (const told of [
        yield* post("/v1/imports", { rows }),
        yield* post("/v1/imports?at=2026-01-05", `recipient\n${csv}`, "text/csv")
      ]) {
        expect([told.rows, told.refused.length, told.refusedCount]).toEqual([1, 1_000, 1_500])
      }
    })
  )
})
