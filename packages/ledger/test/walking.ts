/** Walks of the east account, page by page, at given moments. */
import type { Reading } from "@stopline/consent"
import {
  absences,
  beginWalk,
  claimLane,
  commitAbsences,
  commitPage,
  type Connection,
  type LedgerError,
  type Pair,
  type Registry,
  releaseLane,
  sawAll,
  type Walk,
  walkKey
} from "@stopline/ledger"
import { Effect } from "effect"
import { accountOf, east, eastOne } from "../../../test/world.ts"

export const leaseMs = 60_000

export interface WalkGiven {
  /** When it began; each page takes a hundred milliseconds (ms). */
  readonly at: number
  readonly marking?: boolean
  /** Rows of this page could not be understood. */
  readonly problemsOn?: number
  /** The last page is not reached. */
  readonly cutOff?: boolean
  /** What happens between its knowing what it missed and its saying so. */
  readonly meanwhile?: Effect.Effect<unknown, LedgerError, Connection>
}

export const contextAt = (registry: Registry, runId: number, beganAt: number) => ({
  account: accountOf(registry, east),
  runId,
  basis: "listed" as const,
  span: { beganAt, endedAt: beganAt + 100 },
  settle: 0
})

/** Reads these pages, and then says what it makes of what it did not see. */
export const walkThrough = Effect.fnUntraced(function* (
  registry: Registry,
  pages: ReadonlyArray<ReadonlyArray<Reading>>,
  given: WalkGiven
) {
  const account = accountOf(registry, east)
  const lane = (yield* claimLane(walkKey(account, undefined), "test", given.at, leaseMs))!
  const begun = { kind: "walk", startedBy: "test", unguarded: false, marking: given.marking ?? false } as const
  let walk: Walk = yield* beginWalk(account, undefined, begun, lane, leaseMs, given.at)
  const id = walk.runId
  let news = 0
  for (const [index, readings] of pages.entries()) {
    const last = index === pages.length - 1 && given.cutOff !== true
    const committed = yield* commitPage(walk, lane, leaseMs, contextAt(registry, id, given.at + index * 100), {
      readings,
      problems: given.problemsOn === index,
      next: last ? undefined : `page ${index + 2}`
    })
    walk = committed.walk
    news += committed.news
  }
  const complete = yield* sawAll(walk)
  const missed = given.marking === true ? yield* absences(walk) : undefined
  if (given.meanwhile !== undefined) yield* given.meanwhile
  if (missed !== undefined) {
    const context = { ...contextAt(registry, id, given.at), span: { beganAt: given.at, endedAt: given.at + 1_000 } }
    // A small page, so that there is a second one.
    for (let after: Pair | undefined, more = true; more; more = after !== undefined) {
      const some = yield* commitAbsences(
        walk,
        lane,
        leaseMs,
        context,
        { after, limit: 1 },
        () => eastOne,
        given.at + 1_000
      )
      news += some.news
      after = some.last
    }
  }
  yield* releaseLane(lane)
  return { walk, news, complete, missed }
})
