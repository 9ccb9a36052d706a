/**
 * Laws of events (L1, L11): they arrive over HTTP as the provider sends them, a
 * forged one is not believed, and a repeated one is the same fact.
 */
import type { Recipient } from "@stopline/consent"
import type { RawRequest, Received } from "@stopline/provider"
import { Effect, Queue } from "effect"
import { assert } from "vitest"
import { personOf } from "../call.ts"
import { type Law, need } from "../law.ts"
import { listen, nextAbout, observations } from "./hearing.ts"

const heard: Law = {
  name: "a person's STOP is an opt-out of that pair, and START an opt-in (L1)",
  try: Effect.fnUntraced(function* (bench) {
    const { adapter, fake } = bench
    const { deliveries } = yield* listen(bench)
    const person = personOf(fake)
    for (const [words, state] of [
      [adapter.keywords.optOut[0], "opted-out"],
      [adapter.keywords.optIn[0], "opted-in"]
    ] as const) {
      yield* fake.text(person, words ?? assert.fail("the adapter knows no keyword"))
      const { received, told } = yield* nextAbout(deliveries, person, state)
      assert.deepInclude(told, { account: adapter.account, sender: fake.sender })
      assert.isNotNull(told.key, "a fact that was told has an identity")
      assert.strictEqual(Math.floor(received.reply.status / 100), 2, "the reply")
      assert.isAtMost(told.time.notBefore, told.time.notAfter)
    }
  })
}

const repeated: Law = {
  name: "a repeated event is the same fact, and another event another one (L11)",
  try: Effect.fnUntraced(function* (bench) {
    const { fake } = bench
    const { deliveries, port } = yield* listen(bench)
    const keys = new Set<string | null>()
    for (const person of fake.people.slice(0, 3)) {
      yield* fake.text(person, "STOP")
      const { request, told } = yield* nextAbout(deliveries, person)
      const again = yield* port.receive({ ...request, receivedAt: request.receivedAt + 3_600_000 })
      const same = observations(again).find(({ recipient }) => recipient === person)
      assert.strictEqual(same?.key, told.key, "its key an hour later")
      assert.strictEqual(same?.state, told.state)
      keys.add(told.key)
    }
    assert.strictEqual(keys.size, 3, "three people, three facts")
  })
}

const forged: Law = {
  name: "a forged event is not authentic, and tells nothing",
  try: Effect.fnUntraced(function* (bench) {
    const { fake } = bench
    const { deliveries, port } = yield* listen(bench)
    yield* fake.text(personOf(fake), "STOP")
    const { request } = yield* nextAbout(deliveries, personOf(fake))
    const forgeries = fake.events.forge(request)
    assert.isAbove(forgeries.length, 0, "the fake forges nothing")
    for (const forgery of forgeries) {
      const received = yield* port.receive(forgery)
      assert.strictEqual(received._tag, "NotAuthentic")
      assert.include([401, 403], received.reply.status)
    }
  })
}

const noise: ReadonlyArray<string> = ["", " ", "null", "[]", "{}", "[null]", '"STOP"', "<html>", "{", "\u0000", "[[[["]

const nonsense: Law = {
  name: "a request whose body makes no sense tells nothing, and breaks nothing (L5)",
  try: Effect.fnUntraced(function* (bench) {
    const { fake } = bench
    const { deliveries, port } = yield* listen(bench)
    yield* fake.text(personOf(fake), "STOP")
    const { request } = yield* nextAbout(deliveries, personOf(fake))
    // A form that lacks its end is a form still, so only a beginning without numbers is kept.
    const beginning = request.body.slice(0, request.body.length / 4)
    const bodies = [...noise, beginning, request.body.replaceAll(/\d/g, "x")]
    const { rewrite = (request, body) => ({ ...request, body }) } = fake.events
    for (const body of bodies) {
      const received = yield* port.receive(rewrite(request, body))
      // Whoever signs has signed this one, too: it is believed, and then not understood.
      assert.notStrictEqual(received._tag, "NotAuthentic")
      assert.isEmpty(observations(received), JSON.stringify(body.slice(0, 20)))
    }
  })
}

const words = "Stop texting me about umbrellas"

const keptOut: Law = {
  name: "what a person wrote is not kept (L14)",
  try: Effect.fnUntraced(function* (bench) {
    const { fake } = bench
    const { deliveries, port } = yield* listen(bench)
    const [ann, bob] = [personOf(fake), personOf(fake, 1)]
    yield* fake.text(ann, words)
    yield* fake.text(bob, "STOP")
    const received: Array<Received> = []
    // Bob's comes last, or side by side with Ann's: both are looked at.
    const isFrom = (request: RawRequest, person: Recipient) => request.body.includes(person.slice(1))
    let missing = new Set([ann, bob])
    while (missing.size > 0) {
      const delivery = yield* Queue.take(deliveries)
      missing = new Set([...missing].filter((person) => !isFrom(delivery.request, person)))
      received.push(delivery.received, yield* port.receive(delivery.request))
    }
    assert.notInclude(JSON.stringify(received).toLowerCase(), "umbrella")
  })
}

const evidence: Law = {
  name: "what a person texted is found again, and is the same fact (L11)",
  try: Effect.fnUntraced(function* (bench) {
    const { adapter, fake } = bench
    const { since } = yield* need("evidence", adapter.evidence)
    yield* fake.text(personOf(fake), "STOP")
    yield* fake.text(personOf(fake, 1), "STOP")
    const found = yield* since(fake.sender, personOf(fake), 0)
    assert.isNotEmpty(found)
    for (const { key, recipient, sender, state } of found) {
      assert.deepEqual([sender, recipient, state], [fake.sender, personOf(fake), "opted-out"])
      assert.isNotNull(key)
    }
    assert.deepStrictEqual(yield* since(fake.sender, personOf(fake), 0), found)
  })
}

export const eventLaws: ReadonlyArray<Law> = [heard, repeated, forged, nonsense, keptOut, evidence]
