/** A few trials, whole: real workers, a real Postgres, and what a person would see afterwards. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { type Campaign, playCampaign } from "../src/campaign.ts"
import type { Trial } from "../src/trial.ts"

/** Those that are soon over; `npm run chaos` tries them all. */
const quick: ReadonlyArray<string> = [
  "one worker killed",
  "Postgres restarted",
  "Postgres killed",
  "every connection broken",
  "providers answer 5xx",
  "answers lost on the way"
]

it.live(
  "whatever breaks, every STOP is held and nobody writes at the same time as another (L1, L2, L3, L11, L12, L14)",
  () =>
    Effect.gen(function* () {
      const trials: Array<Trial> = []
      const campaign: Campaign = {
        trials: quick.length,
        seed: 1,
        rate: 3,
        patienceMs: 120_000,
        only: (name) => quick.includes(name),
        onTrial: (trial) => Effect.sync(() => void trials.push(trial))
      }
      yield* playCampaign(campaign)
      const wrong = trials.flatMap((trial) => trial.wrong.map((what) => `${trial.kind}: ${what}`))
      assert.deepStrictEqual(wrong, [])
      assert.deepStrictEqual(trials.map(({ kind }) => kind).toSorted(), quick.toSorted())
      assert.isAbove(Math.min(...trials.map(({ stops }) => stops)), 0)
    }),
  600_000
)
