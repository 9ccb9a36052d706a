/**
 * What passes between the senders of a resource and the people, and the events
 * that tell of it. Writes through the API cause none: no event of Azure's speaks
 * of opt-outs.
 */
import type { Heard, Sent, Surroundings } from "../account.ts"
import type { Faults } from "../fault.ts"
import type { AzureOptions } from "../options.ts"
import { type EventGridSubscription, type GridEvent, type Handshake, deliveryTo, handshake } from "./events.ts"
import type { Holdings } from "./holdings.ts"
import { hear, isTollFree } from "./keywords.ts"

export interface TrafficOptions {
  readonly topic: string
  readonly actsAt: NonNullable<AzureOptions["actsAt"]>
  readonly holdings: Holdings
  readonly faults: Faults
  readonly retryDelays: ReadonlyArray<number>
  readonly surroundings: Surroundings
}

/** The service's words for the code 4007; the free text in the field may differ. */
const optedOutDetails = "4007: The Destination/To number opted out of receiving messages from you."

export class Traffic {
  readonly #options: TrafficOptions
  readonly #subscribers = new Map<string, EventGridSubscription>()

  constructor(options: TrafficOptions) {
    this.#options = options
  }

  receive(sender: string, person: string, text: string): Heard {
    const { actsAt, holdings, surroundings } = this.#options
    const at = surroundings.now()
    const heard = actsAt === "every" || isTollFree(sender) ? hear(sender, text) : undefined
    const changed =
      heard?.action === "opt-out"
        ? holdings.optOut(sender, person, "Recipient", at)
        : heard?.action === "opt-in" && holdings.optIn(sender, person, at)
    const messageId = this.#messageId("Incoming", at)
    this.#emit("SMSReceived", sender, person, messageId, at, {
      from: person,
      to: sender,
      message: text,
      receivedTimestamp: new Date(at).toISOString(),
      segmentCount: 1
    })
    return { messageId, ...heard, changed }
  }

  send(sender: string, person: string): Sent {
    const { holdings, surroundings } = this.#options
    const at = surroundings.now()
    const delivered = !holdings.isOptedOut(sender, person)
    const detail = delivered ? "2000: No Error" : optedOutDetails
    const messageId = this.#messageId("Outgoing", at)
    const timestamp = new Date(at).toISOString()
    this.#emit("SMSDeliveryReportReceived", sender, person, messageId, at, {
      from: sender,
      to: person,
      deliveryStatus: delivered ? "Delivered" : "Failed",
      deliveryStatusDetails: detail,
      receivedTimestamp: timestamp,
      deliveryAttempts: [{ timestamp, segmentsSucceeded: delivered ? 1 : 0, segmentsFailed: delivered ? 0 : 1 }]
    })
    return { status: 202, messageId, delivered, detail }
  }

  /** Begins a subscription: its webhook has to prove itself before it is confirmed. */
  offer(wish: EventGridSubscription): Handshake {
    const { surroundings, topic } = this.#options
    return handshake(wish, topic, surroundings.now(), surroundings.random)
  }

  confirm(wish: EventGridSubscription): string {
    const id = this.#options.surroundings.random.uuid()
    this.#subscribers.set(id, wish)
    return id
  }

  unsubscribe(id: string): boolean {
    return this.#subscribers.delete(id)
  }

  subscriptions(): ReadonlyArray<{ readonly id: string; readonly url: string; readonly status: "Active" }> {
    return [...this.#subscribers].map(([id, { url }]) => ({ id, url, status: "Active" }))
  }

  #messageId(direction: "Incoming" | "Outgoing", at: number): string {
    const digits = new Date(at).toISOString().replace(/\D/g, "").slice(0, 14)
    return `${direction}_${digits}${this.#options.surroundings.random.uuid()}`
  }

  #emit(type: GridEvent["type"], sender: string, person: string, id: string, at: number, data: object): void {
    const { faults, retryDelays, surroundings, topic } = this.#options
    const event: GridEvent = { type, id, person, at, data: { messageId: id, ...data } }
    const deliveries = [...this.#subscribers].map(([name, wish]) =>
      deliveryTo({ name, wish }, topic, event, retryDelays)
    )
    const copies = deliveries.length === 0 ? 0 : faults.copies(sender, person)
    for (let copy = 0; copy < copies; copy++) deliveries.forEach(surroundings.deliver)
  }
}
