/** Whose a sender is that a request names, in the words of this interface. */
import { mask, SenderAddress } from "@stopline/consent"
import { type AskedOf, ownerOf, type Station } from "@stopline/engine"
import { Effect, Result, Schema } from "effect"
import { type Unprocessable, unprocessable } from "./problems.ts"

export interface Named {
  readonly sender: string
  readonly account?: string
}

const isSender = Schema.is(SenderAddress)

/** The stations of one account, or all of them. */
export const stationsOf = (
  stations: ReadonlyArray<Station>,
  account: string | undefined
): Effect.Effect<ReadonlyArray<Station>, Unprocessable> => {
  const chosen = stations.filter((station) => account === undefined || String(station.account.name) === account)
  if (chosen.length > 0) return Effect.succeed(chosen)
  return Effect.fail(unprocessable(`there is no such account; there are ${namesOf(stations)}`))
}

const namesOf = (stations: ReadonlyArray<Station>): string => stations.map(({ account }) => account.name).join(", ")

/** Masked: somebody may have put a person's number in the place of a sender. */
export const findSender = (
  stations: ReadonlyArray<Station>,
  { account, sender }: Named
): Effect.Effect<Station & { readonly address: SenderAddress }, Unprocessable> =>
  Effect.flatMap(stationsOf(stations, account), (chosen) => {
    if (!isSender(sender)) {
      return Effect.fail(unprocessable("sender is none; write it as +18005550100, or a short code as 20500"))
    }
    return Result.match(ownerOf(chosen, sender), {
      onFailure: ({ accounts, message, why }) =>
        Effect.fail(
          // At the command line it would be a flag.
          unprocessable(
            why === "unknown"
              ? message
              : `${mask(sender)} is a sender of ${accounts.join(", ")}; say which with account`
          )
        ),
      onSuccess: (station) => Effect.succeed({ ...station, address: sender })
    })
  })

/** The sender as the ledger is asked about it. */
export const askedOf = (stations: ReadonlyArray<Station>, named: Named): Effect.Effect<AskedOf, Unprocessable> =>
  Effect.flatMap(findSender(stations, named), ({ account, adapter, address }) => {
    const registered = account.senders.find((one) => one.address === address)
    return registered === undefined
      ? Effect.fail(unprocessable(`${mask(address)} is not in force`))
      : Effect.succeed({ station: { account, adapter }, senderId: registered.id, address })
  })

/** All senders of a group. */
export const groupOf = (
  stations: ReadonlyArray<Station>,
  groups: ReadonlyArray<{
    readonly name: string
    readonly members: ReadonlyArray<{ readonly account: string; readonly sender: string }>
  }>,
  name: string
): Effect.Effect<ReadonlyArray<AskedOf>, Unprocessable> => {
  const group = groups.find((one) => one.name === name)
  if (group === undefined || group.members.length === 0) {
    const names = groups.map((one) => one.name).join(", ")
    return Effect.fail(unprocessable(`there is no such group; there are ${names}`))
  }
  return Effect.forEach(group.members, (member) => askedOf(stations, member))
}
