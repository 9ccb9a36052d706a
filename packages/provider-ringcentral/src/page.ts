/**
 * A page, and what it says about the next one. A walk that ends too early makes
 * opted-out people look opted in, so only the plainest answer ends it.
 */
import type { Page, ProviderError } from "@stopline/provider"
import { Effect, Result } from "effect"
import type { Call, Client } from "./client.ts"
import { isClosed } from "./failure.ts"
import { RecordsPage } from "./wire.ts"

/** Before each token of the newer API, so that a walk begun with one API is not taken up with the other. */
export const cursorMark = "v2:"

/**
 * The records of a page as they came, and what comes after it. Who was shown a page may read: a later one that is refused
 * is no closed door but a page that could not be read, and there may be a STOP on it.
 *
 * @param token of the page that `call` asks for; without it, the first one
 */
export const askPage = Effect.fn("RingCentral.askPage")(function* (
  client: Client,
  call: Call,
  token: string | undefined
): Effect.fn.Return<{ readonly records: ReadonlyArray<unknown>; readonly next: Page["next"] }, ProviderError> {
  const refused = (error: ProviderError) => token !== undefined && isClosed(error)
  const page = yield* Effect.catchIf(client.ask(call, RecordsPage), refused, ({ detail }) =>
    client.unreadable(call, `${detail} for a later page`)
  )
  const next = readNext(token, page)
  if (Result.isFailure(next)) return yield* client.unreadable(call, next.failure)
  return { records: page.records, next: next.success }
})

/** Fails with the reason why this page can neither go on nor be the last one. */
const readNext = (
  cursor: string | undefined,
  { paging, records }: RecordsPage
): Result.Result<Page["next"], string> => {
  const next = paging.nextPageToken ?? undefined
  if (next !== undefined) {
    return next === cursor
      ? Result.fail("the next page is this page again; the list has to be read from its start")
      : Result.succeed({ _tag: "More", cursor: next })
  }
  // RingCentral answers an unknown or outdated token with an empty page, where one expects an error. It names no page, or
  // the page that it is, which is then another one than was asked for.
  if (cursor !== undefined && records.length === 0 && paging.pageToken !== cursor) {
    return Result.fail("the page token is not known any more; the list has to be read from its start")
  }
  return Result.succeed({ _tag: "End" })
}
