/**
 * What passes between the senders of an account and the people: texts both ways,
 * what they do to the list, and the events that tell of it.
 */
import type { Heard, Sent, Surroundings } from "../account.ts"
import type { Faults } from "../fault.ts"
import type { OptOutList, Source, Status } from "../list.ts"
import { hear } from "./keywords.ts"
import { type Message, messageBody } from "./messages.ts"
import type { Sockets } from "./sockets.ts"
import type { Subscriptions } from "./subscription.ts"

/** RingCentral's word for every sender: in a record it means all of the account, in a query any. */
export const everySender = "*"

export interface TrafficOptions {
  readonly list: OptOutList
  readonly faults: Faults
  readonly subscriptions: Subscriptions
  readonly sockets: Sockets
  readonly surroundings: Surroundings
  readonly echo: boolean
  readonly optInEvents: boolean
  readonly keywordTexts: boolean
}

export class Traffic {
  readonly #options: TrafficOptions
  /** Later starts hand out higher ids, so that an id is never given twice. */
  readonly #firstId: number
  /** By growing id. */
  readonly messages: Array<Message> = []

  constructor(options: TrafficOptions) {
    this.#options = options
    this.#firstId = options.surroundings.now() + 7_000
  }

  receive(sender: string, person: string, text: string): Heard {
    const { keywordTexts, list, surroundings } = this.#options
    const heard = hear(text)
    const at = surroundings.now()
    const status = heard && (heard.action === "opt-out" ? "OptOut" : "OptIn")
    const changed = status !== undefined && list.set(sender, person, status, "Recipient", at)
    // Each keyword is told, even one that changes nothing: whether it is at the service is not published.
    if (status !== undefined) this.#tell(sender, person, status)
    const swallowed = status !== undefined && !keywordTexts
    const message = this.#keep({
      direction: "Inbound",
      from: person,
      to: sender,
      text,
      at,
      status: "Delivered",
      swallowed
    })
    if (!swallowed) this.#emit("messages", sender, person, { ...messageBody(message, true), id: String(message.id) })
    return { messageId: String(message.id), ...heard, changed }
  }

  send(sender: string, person: string): Sent {
    const blocked = this.isOptedOut(sender, person)
    const message = this.#keep({
      direction: "Outbound",
      from: sender,
      to: person,
      text: "",
      at: this.#options.surroundings.now(),
      status: blocked ? "SendingFailed" : "Delivered",
      ...(blocked && { errorCode: "SMS-RC-413" })
    })
    return {
      status: 202,
      messageId: String(message.id),
      delivered: !blocked,
      detail: blocked ? "SendingFailed: SMS-RC-413" : "Delivered"
    }
  }

  /** A write through the API. Whether it causes an event is not published: an option of the account. */
  write(sender: string, person: string, status: Status, source: Source = "Account"): void {
    const { echo, list, surroundings } = this.#options
    if (list.set(sender, person, status, source, surroundings.now()) && echo) this.#tell(sender, person, status)
  }

  /** The newer of the pair's own record and the account-wide one decides. */
  isOptedOut(sender: string, person: string): boolean {
    const own = this.#options.list.get(sender, person)
    const wide = this.#options.list.get(everySender, person)
    return ((own?.id ?? -1) > (wide?.id ?? -1) ? own : wide)?.status === "OptOut"
  }

  #keep(message: Omit<Message, "id">): Message {
    const kept = { ...message, id: this.#firstId + this.messages.length }
    this.messages.push(kept)
    return kept
  }

  #tell(sender: string, person: string, status: Status): void {
    if (status === "OptIn" && !this.#options.optInEvents) return
    this.#emit("opt-outs", sender, person, { from: sender, to: person, active: status === "OptOut" })
  }

  #emit(kind: "opt-outs" | "messages", sender: string, person: string, body: unknown): void {
    const { faults, sockets, subscriptions, surroundings } = this.#options
    const deliveries = subscriptions.deliveries({ kind, sender }, body)
    const notices = sockets.notices({ kind, sender }, body)
    const copies = deliveries.length + notices.length === 0 ? 0 : faults.copies(sender, person)
    for (let copy = 0; copy < copies; copy++) {
      deliveries.forEach(surroundings.deliver)
      for (const notice of notices) notice()
    }
  }
}
