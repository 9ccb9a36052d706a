/** A walk as careful as the engine's: it believes an end only where the provider says so, and goes in no circles. */
import type { ListPort, Page } from "@stopline/provider"
import { Effect } from "effect"
import { assert } from "vitest"
import type { Fake } from "./fake.ts"

/** The pages from a cursor to the end. */
export const pagesFrom = Effect.fnUntraced(function* (list: ListPort, fake: Fake, size: number, start?: string) {
  const pages: Array<Page> = []
  const seen = new Set<string>()
  for (let cursor = start; ;) {
    const page = yield* list.page({ sender: fake.sender, size, ...(cursor !== undefined && { cursor }) })
    assert.deepStrictEqual(page.problems, [], "rows that cannot be read")
    assert.isAtMost(page.readings.length, size, "rows on a page")
    pages.push(page)
    if (page.next._tag === "End") return pages
    cursor = page.next.cursor
    assert.isFalse(seen.has(cursor), "a token came twice, and the walk would go in circles")
    seen.add(cursor)
  }
})

export const optedOut = (pages: ReadonlyArray<Page>): ReadonlyArray<string> =>
  pages.flatMap(({ readings }) =>
    readings.filter(({ state }) => state === "opted-out").map(({ recipient }) => recipient as string)
  )
