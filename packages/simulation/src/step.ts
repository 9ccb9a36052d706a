/** One step of a scenario: something is done, or is looked at. */
import type { Member, Recipient } from "@stopline/consent"
import { Fleet, sendersOf } from "@stopline/engine"
import { openIntents } from "@stopline/ledger"
import { Effect } from "effect"
import type { Run } from "./run.ts"
import type { Action } from "./action.ts"

/** Does something, or looks at something and fails with what is there instead. */
export type Step = (run: Run) => Effect.Effect<void, string>

export const act =
  (...actions: ReadonlyArray<Action>): Step =>
  (run) =>
    Effect.promise(async () => {
      for (const action of actions) {
        await run.act(action)
        await run.look()
      }
    })

/** Whether the provider blocks the pair. */
export const blocked =
  (person: Recipient, { account, sender }: Member) =>
  (run: Run): Effect.Effect<boolean> =>
    Effect.sync(() => run.world.accounts.find(({ name }) => name === account)?.isOptedOut(sender, person) ?? false)

/** Whether it does not. */
export const letThrough =
  (person: Recipient, place: Member) =>
  (run: Run): Effect.Effect<boolean> =>
    Effect.map(blocked(person, place)(run), (is) => !is)

/** Whether a write to the sender was committed to be sent and has no outcome yet. */
export const intended =
  ({ account, sender }: Member) =>
  (run: Run): Effect.Effect<boolean> =>
    Effect.promise(() =>
      run.worker(0).inspect(
        Effect.gen(function* () {
          const { stations } = yield* Fleet
          const senders = stations
            .flatMap((station) => sendersOf(station))
            .filter((one) => one.account === account && one.address === sender)
          return (yield* openIntents(senders)).length > 0
        })
      )
    )

/** Whether all that was to go wrong at the account has gone wrong. */
export const pastFaults =
  (account: string) =>
  (run: Run): Effect.Effect<boolean> =>
    Effect.map(Effect.orDie(run.world.faults(account)), (left) => left.length === 0)

const mostTurns = 500

/** Lets one thing happen after the other, and stops at the first moment at which it is so. */
export const after =
  (isSo: (run: Run) => Effect.Effect<boolean>, step: Step): Step =>
  (run) =>
    Effect.gen(function* () {
      for (let turn = 0; turn < mostTurns; turn++) {
        if (yield* isSo(run)) return yield* step(run)
        yield* act({ do: "stir", turns: 1 })(run)
      }
      return yield* Effect.fail("that moment never came")
    })
