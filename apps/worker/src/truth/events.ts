/** What this worker counts of events and of what it carried because of them. */
import type { Received } from "@stopline/provider"
import { Clock, Effect, Metric } from "effect"

/** What became of an event: by the name of what was received, or it could not be stored. */
const eventResults = ["understood", "ending", "handshake", "not-authentic", "not-understood", "not-stored"] as const
type EventResult = (typeof eventResults)[number]

const results: Record<Received["_tag"], EventResult> = {
  Understood: "understood",
  Ending: "ending",
  Handshake: "handshake",
  NotAuthentic: "not-authentic",
  NotUnderstood: "not-understood"
}

const events = Metric.counter("stopline_events_total", {
  description: "Events that providers sent, by what became of them. This worker's own.",
  incremental: true
})
const lastEvent = Metric.gauge("stopline_last_event_timestamp_seconds", {
  description: "When the last authentic event of an account came; before the first, when this worker started. Its own."
})
const carried = Metric.counter("stopline_carried_total", {
  description:
    "STOPs that came by an event and were carried to other senders, by the account they were said to. This worker's own.",
  incremental: true
})
const carrying = Metric.histogram("stopline_carry_seconds", {
  description: "From the arrival of a STOP to the last provider's answer. This worker's own.",
  boundaries: [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]
})

/** All that can be counted is there from the start: a counter that appears with its first event hides that event. */
export const noEventsYet = Effect.fnUntraced(function* (accounts: ReadonlyArray<string>) {
  const now = yield* Clock.currentTimeMillis
  for (const account of accounts) {
    for (const result of eventResults) yield* Metric.update(Metric.withAttributes(events, { account, result }), 0)
    yield* Metric.update(Metric.withAttributes(lastEvent, { account }), now / 1000)
    yield* Metric.update(Metric.withAttributes(carried, { account }), 0)
  }
})

export const countEvent = Effect.fnUntraced(function* (account: string, received: Received["_tag"] | undefined) {
  const result = received === undefined ? "not-stored" : results[received]
  yield* Metric.update(Metric.withAttributes(events, { account, result }), 1)
  if (result !== "understood" && result !== "ending") return
  const now = yield* Clock.currentTimeMillis
  yield* Metric.update(Metric.withAttributes(lastEvent, { account }), now / 1000)
})

export const countCarried = Effect.fnUntraced(function* (account: string, ms: number) {
  yield* Metric.update(Metric.withAttributes(carried, { account }), 1)
  yield* Metric.update(Metric.withAttributes(carrying, { account }), ms / 1000)
})
