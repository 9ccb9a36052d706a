/**
 * What a page says about the next one. A walk that ends too early makes
 * opted-out people look opted in, so only the plainest answer ends it.
 */
import type { Page } from "@stopline/provider"
import { Result } from "effect"
import type { RecordsPage } from "./wire.ts"

/** Before each token of the newer API, so that a walk begun with one API is not taken up with the other. */
export const cursorMark = "v2:"

/** Fails with the reason why this page can neither go on nor be the last one. */
export const readNext = (
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
