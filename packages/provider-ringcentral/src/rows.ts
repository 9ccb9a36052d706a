/**
 * Every row of a short list, page after page: what one person texted, or what is
 * recorded of a few people. Long lists are walked by the engine, a page at a time.
 */
import { NextTurn, type ProviderError } from "@stopline/provider"
import { Effect, Result } from "effect"
import type { Call, Client } from "./client.ts"
import { isClosed } from "./failure.ts"
import { readNext } from "./page.ts"
import { RecordsPage } from "./wire.ts"

/**
 * All of it or an error: half of what a person said is worse than nothing. Every page after the first waits for a
 * turn of its own (L15).
 *
 * @param callFor the request for a page; without a cursor the first one
 */
export const readAllRows = Effect.fn("RingCentral.readAllRows")(function* (
  client: Client,
  callFor: (cursor?: string) => Call
): Effect.fn.Return<ReadonlyArray<unknown>, ProviderError> {
  const rows: Array<unknown> = []
  const seen = new Set<string>()
  let cursor: string | undefined
  do {
    if (cursor !== undefined) yield* yield* NextTurn
    const call = callFor(cursor)
    const refused = (error: ProviderError) => cursor !== undefined && isClosed(error)
    const page = yield* Effect.catchIf(client.ask(call, RecordsPage), refused, ({ detail }) =>
      // Who was shown a page may read: it is no closed door, and this is not all of it.
      client.unreadable(call, `${detail} for a later page`)
    )
    const next = readNext(cursor, page)
    if (Result.isFailure(next)) return yield* client.unreadable(call, next.failure)
    rows.push(...page.records)
    cursor = next.success._tag === "More" ? next.success.cursor : undefined
    if (cursor !== undefined && seen.has(cursor)) return yield* client.unreadable(call, "the pages go in a circle")
    if (cursor !== undefined) seen.add(cursor)
  } while (cursor !== undefined)
  return rows
})
