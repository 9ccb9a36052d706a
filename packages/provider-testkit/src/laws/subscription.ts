/**
 * Laws of subscriptions (L1, L11): made once however often it is asked for, and
 * what was said while nobody heard it can be read afterwards.
 */
import { Effect, Queue } from "effect"
import { assert } from "vitest"
import { personOf } from "../call.ts"
import { type Delivery, openDoor } from "../door.ts"
import { type Law, need, skip } from "../law.ts"
import { listen, lookBack, nextAbout, observations } from "./hearing.ts"

const again: Law = {
  name: "a subscription that is asked for again is the same one, and hears",
  try: Effect.fnUntraced(function* ({ adapter, fake, open }) {
    const { ensure } = yield* need("subscription", adapter.subscription)
    const { deliveries, url } = yield* openDoor(yield* need("events", adapter.events))
    const first = yield* ensure(url)
    assert.deepStrictEqual((yield* ensure(url)).id, first.id)
    const later = yield* need("subscription", (yield* open()).subscription)
    assert.deepStrictEqual((yield* later.ensure(url)).id, first.id, "by an adapter that remembers nothing")
    assert.deepStrictEqual(first.missing, [], "what it does not hear")
    yield* fake.text(personOf(fake), "STOP")
    yield* nextAbout(deliveries, personOf(fake))
  })
}

const missed: Law = {
  name: "what was texted is found where events may have been lost, as the same fact (L11)",
  part: "subscribe",
  try: Effect.fnUntraced(function* (bench) {
    const { adapter, fake } = bench
    const port = yield* need("subscription", adapter.subscription)
    const { deliveries } = yield* listen(bench)
    const [ann, bob] = [personOf(fake), personOf(fake, 1)]
    yield* fake.text(ann, "STOP")
    yield* fake.text(bob, "START")
    const found = yield* lookBack(port)
    const about = (person: string) => found.filter(({ recipient }) => recipient === person).map(({ state }) => state)
    assert.deepStrictEqual([about(ann), about(bob)], [["opted-out"], ["opted-in"]])
    const missing = new Set(found.map(({ key }) => key))
    while (missing.size > 0) {
      for (const { key } of observations((yield* Queue.take(deliveries)).received)) missing.delete(key)
    }
  })
}

const handshake: Law = {
  name: "a handshake is answered the same each time, and a forged one tells nothing",
  try: Effect.fnUntraced(function* (bench) {
    const { fake } = bench
    const { deliveries, port } = yield* listen(bench)
    yield* fake.text(personOf(fake), "STOP")
    const before: Array<Delivery> = []
    let heard = false
    while (!heard) {
      const delivery = yield* Queue.take(deliveries)
      before.push(delivery)
      heard = observations(delivery.received).length > 0
    }
    const shaken = before.filter(({ received }) => received._tag === "Handshake")
    if (shaken.length === 0) return yield* skip("the provider shakes no hands")
    for (const { received, request } of shaken) {
      const repeated = yield* port.receive({ ...request, receivedAt: request.receivedAt + 3_600_000 })
      assert.deepStrictEqual(repeated, received)
      assert.strictEqual(Math.floor(received.reply.status / 100), 2, "the reply")
      for (const forgery of fake.events.forge(request)) {
        assert.notInclude(["Understood", "Ending"], (yield* port.receive(forgery))._tag)
      }
    }
  })
}

export const subscriptionLaws: ReadonlyArray<Law> = [again, missed, handshake]
