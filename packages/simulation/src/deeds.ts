/** What people do at their phones, colleagues in their vendors' consoles, and a campaign. */
import type { World } from "@stopline/sandbox"
import type { Effect } from "effect"
import type { Doing } from "./action.ts"
import type { Mail } from "./mail.ts"
import type { Oracle } from "./oracle.ts"
import type { Conductor } from "./time.ts"
import type { Truth } from "./truth.ts"
import type { Universe } from "./universe.ts"
import type { Watch } from "./watch.ts"

export interface Outdoors {
  readonly universe: Universe
  readonly conductor: Conductor
  readonly oracle: Oracle
  readonly truth: Truth
  readonly watch: Watch
  readonly mail: Mail
  readonly world: () => World
  /** Runs what happens out there. */
  readonly natural: <A, E>(self: Effect.Effect<A, E>) => Promise<A>
}

export class Deeds {
  readonly #outdoors: Outdoors

  constructor(outdoors: Outdoors) {
    this.#outdoors = outdoors
  }

  do(action: Doing<"text" | "edit" | "send">): Promise<void> {
    switch (action.do) {
      case "text":
        return this.#text(action)
      case "edit":
        return this.#edit(action)
      case "send":
        return this.#send(action)
    }
  }

  /** A person texts. */
  async #text({ account, person, sender, words }: Doing<"text">): Promise<void> {
    const { conductor, mail, natural, oracle, truth, watch, world } = this.#outdoors
    const { now } = conductor
    const pair = `${account}/${sender}`
    const vendor = this.#find(account)?.vendor
    const said = oracle.texts(person, pair, words, now, vendor)
    const { action, messageId } = await natural(world().text({ from: person, to: sender, text: words }))
    // What RingCentral acted on by itself it shows to nobody.
    const isKept = vendor === "ringcentral" && action === undefined
    if (said !== undefined) mail.expect({ account, messageId, said, isKept })
    watch.look(account, [sender], [person], "person")
    const turned = truth.last(`${pair} ${person}`)
    if (turned?.at === now && turned.by === "person" && !turned.blocked) oracle.lifts(person, pair, now)
  }

  /** A colleague changes the list of a sender, or of all of an account. */
  async #edit({ account, person, sender, to }: Doing<"edit">): Promise<void> {
    const { natural, oracle, truth, watch, world } = this.#outdoors
    const senders = sender === "*" ? (this.#find(account)?.senders ?? []) : [sender]
    if (sender === "*") for (const one of senders) truth.blur(`${account}/${one} ${person}`)
    if (to === "opt-out") for (const one of senders) oracle.edits(person, `${account}/${one}`)
    await natural(world().edit({ account, sender, action: to, recipients: [person] }))
    watch.look(account, senders, [person], "colleague")
  }

  /** We text somebody. */
  async #send({ account, person, sender }: Doing<"send">): Promise<void> {
    const { natural, oracle, world } = this.#outdoors
    const { delivered } = await natural(world().send({ account, from: sender, to: person }))
    if (!delivered) oracle.refuses(person)
  }

  #find(account: string): Universe["accounts"][number] | undefined {
    return this.#outdoors.universe.accounts.find(({ name }) => name === account)
  }
}
