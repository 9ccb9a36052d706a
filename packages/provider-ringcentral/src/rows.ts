/**
 * Every row of a short list, page after page: what one person texted, or what is
 * recorded of a few people. Long lists are walked by the engine, a page at a time.
 */
import { NextTurn, type ProviderError } from "@stopline/provider"
import { Effect } from "effect"
import type { Call, Client } from "./client.ts"
import { askPage } from "./page.ts"

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
    const page = yield* askPage(client, call, cursor)
    rows.push(...page.records)
    cursor = page.next._tag === "More" ? page.next.cursor : undefined
    if (cursor !== undefined && seen.has(cursor)) return yield* client.unreadable(call, "the pages go in a circle")
    if (cursor !== undefined) seen.add(cursor)
  } while (cursor !== undefined)
  return rows
})
