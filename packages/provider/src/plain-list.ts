/** A list as an async iterable of pages. */
import type { Origin, SenderAddress } from "@stopline/consent"
import type { Effect } from "effect"
import type { ListPort, Page, RowProblem } from "./adapter.ts"
import type { ProviderError } from "./error.ts"
import type { ProviderCallError } from "./plain-error.ts"

export interface ListOptions {
  /** Rows per page; absent: as many as the provider gives. */
  readonly pageSize?: number
  /** A page's `next`, to go on where an earlier walk stopped. */
  readonly cursor?: string
}

export interface OptOut {
  /** `*`: every sender of the account. */
  readonly sender: string
  readonly number: string
  /** Who wanted it so, as far as the provider says. */
  readonly origin: Origin
}

export interface OptOutPage {
  readonly optOuts: ReadonlyArray<OptOut>
  /** Rows that could not be read. While there are any, nobody may be taken for absent. */
  readonly problems: ReadonlyArray<RowProblem>
  /** Where the next page begins. Absent: the provider said that this is the last one. */
  readonly next?: string
}

export const readPages = async function* (
  { maxPage, page }: ListPort,
  sender: SenderAddress | undefined,
  options: ListOptions,
  run: (call: Effect.Effect<Page, ProviderError>) => Promise<Page>,
  inCircles: () => ProviderCallError
): AsyncGenerator<OptOutPage, void, void> {
  const size = Math.min(options.pageSize ?? maxPage, maxPage)
  const seen = new Set<string>()
  let { cursor } = options
  do {
    const read = await run(
      page({ size, ...(sender !== undefined && { sender }), ...(cursor !== undefined && { cursor }) })
    )
    cursor = read.next._tag === "More" ? read.next.cursor : undefined
    if (cursor !== undefined && seen.has(cursor)) throw inCircles()
    if (cursor !== undefined) seen.add(cursor)
    yield toPage(read)
  } while (cursor !== undefined)
}

const toPage = ({ next, problems, readings }: Page): OptOutPage => ({
  optOuts: readings.flatMap(({ origin, recipient, sender, state }) =>
    state === "opted-out" ? [{ sender, number: recipient, origin }] : []
  ),
  problems,
  ...(next._tag === "More" && { next: next.cursor })
})
