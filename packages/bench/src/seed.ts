/** A ledger that has been at work for long: everybody opted out at RingCentral, and every sender known to hold it. */
import { Fleet } from "@stopline/engine"
import { Effect } from "effect"
import { withClient } from "./bed.ts"

/** The digits of the first person of every sandbox, of whom the others are counted. */
const first = 15_550_100_000

/** Fills an empty ledger with so many people who texted STOP to the first sender of RingCentral. */
export const seed = Effect.fnUntraced(function* (url: string, count: number, heldEverywhere: boolean) {
  const { stations } = yield* Fleet
  const senders = stations.flatMap(({ account }) => account.senders)
  const said = stations.find(({ account }) => account.vendor === "ringcentral")?.account.senders[0]
  if (said === undefined) return yield* Effect.die("nobody to say STOP to")
  const held = heldEverywhere ? senders : [said]
  yield* Effect.promise(() =>
    withClient(url, async (client) => {
      await client.query(`
        insert into observation
          (recipient, account_id, sender_id, group_id, state, origin, basis, reach, not_before, not_after, key, recorded_at)
        select ${first} + n, ${said.accountId}, ${said.id}, ${said.groupId}, 'opted-out', 'recipient', 'message', 'pair',
          now(), now(), 'message ' || n, now()
        from generate_series(0, ${count - 1}) n;
        insert into standing (group_id, recipient, out_at, out_because, settled)
        select group_id, recipient, not_after, id, ${heldEverywhere} from observation`)
      for (const { id } of held) {
        await client.query(`
          insert into view (sender_id, recipient, held, read_at, asked_at)
          select ${id}, recipient, 'opted-out', now(), now() from standing`)
      }
      await client.query("vacuum analyze")
      await client.query("checkpoint")
    })
  )
})
