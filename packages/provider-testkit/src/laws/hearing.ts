/** What laws about events have in common: a webhook that listens, and waiting for what it is told. */
import type { ConsentState, Observation, Recipient } from "@stopline/consent"
import type { Received, SubscriptionPort } from "@stopline/provider"
import { Clock, Effect, Queue } from "effect"
import { assert } from "vitest"
import { type Delivery, openDoor } from "../door.ts"
import { type Bench, need } from "../law.ts"

/** A webhook that the provider sends its events to. */
export const listen = Effect.fnUntraced(function* ({ adapter, fake }: Bench) {
  const port = yield* need("events", adapter.events)
  const door = yield* openDoor(port)
  if (adapter.subscription._tag === "Can") yield* adapter.subscription.port.ensure(door.url)
  else yield* fake.events.subscribe(door.url)
  return { port, deliveries: door.deliveries }
})

export const observations = (received: Received): ReadonlyArray<Observation> =>
  received._tag === "Understood" ? received.observations : []

/** The next delivery that tells this of the person. A provider may tell it twice: of the text, and of the block. */
export const nextAbout = Effect.fnUntraced(function* (
  deliveries: Queue.Dequeue<Delivery>,
  person: Recipient,
  said: ConsentState = "opted-out"
) {
  for (;;) {
    const delivery = yield* Queue.take(deliveries)
    const told = observations(delivery.received).find(({ recipient, state }) => recipient === person && state === said)
    if (told !== undefined) return { ...delivery, told }
  }
})

const minute = 60_000

/** Everything that was texted of late, as it is read where events may have been lost. */
export const lookBack = Effect.fnUntraced(function* ({ missed }: Pick<SubscriptionPort, "missed">) {
  const now = yield* Clock.currentTimeMillis
  const span = { since: now - minute, until: now + minute }
  const found: Array<Observation> = []
  const seen = new Set<string>()
  for (let cursor: string | undefined; ;) {
    const page = yield* missed(span, cursor)
    assert.deepStrictEqual(page.problems, [], "rows that cannot be read")
    found.push(...page.observations)
    if (page.next._tag === "End") return found
    cursor = page.next.cursor
    assert.isFalse(seen.has(cursor), "a token came twice")
    seen.add(cursor)
  }
})
