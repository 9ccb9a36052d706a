/** The check before a text, asked of every worker: it allows none to whoever is known to have said STOP (L16). */
import { mask, Recipient } from "@stopline/consent"
import { type AskedOf, Fleet, mayText } from "@stopline/engine"
import { Effect } from "effect"
import type { Oracle } from "./oracle.ts"
import type { Worker } from "./worker.ts"

export interface Texting {
  readonly oracle: Oracle
  /** Also who goes by the configuration of before. */
  readonly workers: () => ReadonlyArray<Worker>
  readonly now: () => number
  readonly breaks: (law: string, what: string) => void
}

/** Asked of every sender by itself each time, the check would be a fifth of all work. */
const mostApart = 4

/** Who may be texted from some senders by themselves, `account/sender`, and from all of them at once. */
interface Allowed {
  readonly from: ReadonlyMap<string, ReadonlySet<string>>
  readonly fromAll: ReadonlySet<string>
}

const allowed = Effect.fnUntraced(function* (people: ReadonlyArray<Recipient>, turn: number) {
  const { stations } = yield* Fleet
  const senders = stations.flatMap((station) =>
    station.account.senders.map(({ address, id }): AskedOf => ({ station, senderId: id, address }))
  )
  const yes = (asked: ReadonlyArray<AskedOf>) =>
    Effect.map(mayText(asked, people), (answers) => new Set(people.filter((_, i) => answers[i]?.mayText === true)))
  const apart = senders.filter((_, index) => (index + turn) % mostApart === 0)
  const from = yield* Effect.forEach(apart, (one) =>
    Effect.map(yes([one]), (may) => [`${one.station.account.name}/${one.address}`, may] as const)
  )
  return { from: new Map(from), fromAll: yield* yes(senders) } satisfies Allowed
})

/** @param turn how many times it was asked before: each time other senders have theirs */
export const checkTexting = Effect.fnUntraced(function* (
  texting: Texting,
  people: ReadonlyArray<string>,
  turn: number
) {
  const asked = people.map((person) => Recipient.make(person))
  for (const worker of texting.workers()) {
    const answer = yield* Effect.promise(() => worker.inspect(allowed(asked, turn)))
    for (const person of people) hold(texting, worker.actor.name, answer, person)
  }
})

const hold = ({ breaks, now, oracle }: Texting, worker: string, { from, fromAll }: Allowed, person: string): void => {
  for (const [sender, may] of from) {
    if (may.has(person) && oracle.mayNotUnblock(person, sender, now())) {
      breaks("L16", `${worker} lets ${sender} text ${mask(person)}, who is known to have asked it to stop`)
    }
    // One of them may speak for nobody, and then nobody may be texted from it.
    if (fromAll.has(person) && !may.has(person)) {
      breaks("L16", `${worker} lets all senders text ${mask(person)}, and ${sender} by itself it does not`)
    }
  }
}
