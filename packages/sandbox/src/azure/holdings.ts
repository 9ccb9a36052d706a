/**
 * What stands between an Azure sender and a person: Azure's own list, and, for
 * US toll-free numbers, the carrier's block.
 *
 * That a carrier's block outlives `optouts:remove`, and that `optouts:check`
 * sees it, is our reading: the FAQ says that it cannot be overridden, and is
 * silent on the rest.
 */
import { OptOutList, type Source, latest } from "../list.ts"
import { isTollFree } from "./keywords.ts"

export class Holdings {
  readonly #list = new OptOutList(1)
  readonly #carrier = new OptOutList(1)

  /** Returns whether anything changed. */
  optOut(sender: string, person: string, source: Source, now: number): boolean {
    const held =
      source === "Recipient" && isTollFree(sender) && this.#carrier.set(sender, person, "OptOut", "Carrier", now)
    return this.#list.set(sender, person, "OptOut", source, now) || held
  }

  /** The person's own START: Azure forgets the entry, and the carrier lifts its block. */
  optIn(sender: string, person: string, now: number): boolean {
    const lifted =
      this.#carrier.isOptedOut(sender, person) && this.#carrier.set(sender, person, "OptIn", "Carrier", now)
    return this.release(sender, person, now) || lifted
  }

  /** Anybody else's wish: Azure forgets the entry, the carrier does not. */
  release(sender: string, person: string, now: number): boolean {
    return this.#list.isOptedOut(sender, person) && this.#list.set(sender, person, "OptIn", "Account", now)
  }

  isOptedOut(sender: string, person: string, asOf = latest): boolean {
    return this.#list.isOptedOut(sender, person, asOf) || this.#carrier.isOptedOut(sender, person, asOf)
  }

  listed(sender: string): ReadonlyArray<string> {
    return this.#list.recipients(sender, "OptOut")
  }

  carrierHeld(sender: string): ReadonlyArray<string> {
    return this.#carrier.recipients(sender, "OptOut")
  }
}
