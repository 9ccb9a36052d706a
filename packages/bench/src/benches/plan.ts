/**
 * Finding what differs. The floor is what a program without Stopline's index of
 * unsettled standings would do: one anti-join over everything, in the database.
 */
import { Fleet, plan, plannedOf } from "@stopline/engine"
import { Clock, Effect } from "effect"
import { Bed, withClient } from "../bed.ts"
import { type Bench, inTurns, timed, watching } from "../bench.ts"
import { lasting, whole } from "../numbers.ts"
import { startProviders } from "../providers.ts"
import { seed } from "../seed.ts"
import { stationOf, stopline } from "../stopline.ts"

const pairs = 10_000_000
/** One pair in so many differs. */
const oneIn = [10_000, 1_000, 100]

export const planBench: Bench = {
  name: "plan",
  run: Effect.fnUntraced(function* ({ rounds, share }) {
    // Each person is a pair with either of two senders.
    const people = (pairs * share) / 2
    const providers = yield* startProviders({ people: 0 })
    const url = yield* (yield* Bed).ledger
    return yield* Effect.gen(function* () {
      const { settings, stations } = yield* Fleet
      const azure = (yield* stationOf("azure")).account.senders[0]!
      yield* watching(`plan: filling a ledger with ${whole(people * 2)} pairs`)
      yield* seed(url, people, true)
      const now = yield* Clock.currentTimeMillis
      const byPlan = plan(stations.map(plannedOf), settings, { examples: 20, confirmMs: 0 }, now)
      const rows = []
      for (const every of oneIn) {
        yield* Effect.promise(() => unsettle(url, azure.id, every / 2))
        const { ours, peer } = yield* inTurns(
          `plan, ${100 / every} %`,
          rounds,
          () => timed(byPlan),
          () => timed(Effect.promise(() => antiJoin(url)))
        )
        const ratio = peer.ms / ours.ms
        const { changes } = ours.value
        rows.push({
          bench: "plan",
          what: `${whole(people * 2)} pairs, ${100 / every} % differ (${whole(changes)})`,
          ours: `${lasting(ours.ms)}, ${lasting(ours.ms / Math.max(changes, 1))} each`,
          peer: `hash anti-join: ${lasting(peer.ms)}`,
          ratio,
          goal: "> 1",
          met: ratio > 1,
          notes: [],
          work: { ours: changes, peer: peer.value }
        })
      }
      return rows
    }).pipe(
      Effect.provide(
        stopline(url, providers, {
          azure: providers.azure.senders.slice(0, 1),
          settings: { guard: { optOuts: everything, optIns: everything, absences: everything } }
        })
      )
    )
  })
}

const everything = { count: Infinity, share: 1 }

/** From now on one person in so many is not known to be held at Azure. */
const unsettle = (url: string, senderId: number, every: number): Promise<void> =>
  withClient(url, async (client) => {
    await client.query(`
      with differing as (update standing set settled = false where settled and recipient % ${every} = 0 returning recipient)
      delete from view v using differing d where v.sender_id = ${senderId} and v.recipient = d.recipient`)
    await client.query("vacuum analyze standing, view")
    await client.query("checkpoint")
  })

const antiJoin = (url: string): Promise<number> =>
  withClient(url, async (client) => {
    await client.query("set enable_mergejoin = off; set enable_nestloop = off")
    const { rows } = await client.query(`
      select s.id, st.recipient from standing st join sender s on s.group_id = st.group_id and s.active
      where st.out_at is not null
        and not exists (select from view v where v.sender_id = s.id and v.recipient = st.recipient and v.held = 'opted-out')`)
    return rows.length
  })
