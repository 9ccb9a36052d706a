/** Laws of streams (L1, L11): they tell what a webhook would, and never fall silent without an error. */
import type { ConsentState, Observation, Recipient } from "@stopline/consent"
import type { EventStream } from "@stopline/provider"
import { Effect, Exit, Scope } from "effect"
import { assert } from "vitest"
import { failureOf, personOf } from "../call.ts"
import { atRest, until } from "../rest.ts"
import { type Law, need, skip } from "../law.ts"
import { lookBack, observations } from "./hearing.ts"

/** What the stream tells, up to the one that is waited for. */
const tellsUntil = Effect.fnUntraced(function* (stream: EventStream, wanted: (told: Observation) => boolean) {
  const all: Array<Observation> = []
  while (!all.some(wanted)) all.push(...observations(yield* stream.next))
  return all
})

const is =
  (person: Recipient, said: ConsentState) =>
  ({ recipient, state }: Observation): boolean =>
    recipient === person && state === said

const heard: Law = {
  name: "a person's STOP and START come by the stream (L1)",
  try: Effect.fnUntraced(function* ({ adapter, fake }) {
    const stream = yield* (yield* need("stream", adapter.stream)).connect
    assert.deepStrictEqual(stream.subscription.missing, [], "what it does not hear")
    const person = personOf(fake)
    for (const [words, state] of [
      [adapter.keywords.optOut[0], "opted-out"],
      [adapter.keywords.optIn[0], "opted-in"]
    ] as const) {
      yield* fake.text(person, words ?? assert.fail("the adapter knows no keyword"))
      const told = (yield* tellsUntil(stream, is(person, state))).find(is(person, state))
      assert.deepInclude(told, { account: adapter.account, sender: fake.sender })
      assert.isNotNull(told?.key, "a fact that was told has an identity")
    }
  })
}

const missed: Law = {
  name: "what was texted is found where events may have been lost, as the same fact (L11)",
  part: "connect",
  try: Effect.fnUntraced(function* ({ adapter, fake }) {
    const port = yield* need("stream", adapter.stream)
    const stream = yield* port.connect
    const person = personOf(fake)
    yield* fake.text(person, "STOP")
    const found = yield* lookBack(port)
    assert.deepStrictEqual(
      found.map(({ recipient, state }) => [recipient, state]),
      [[person, "opted-out"]]
    )
    yield* tellsUntil(stream, ({ key }) => key === found[0]?.key)
  })
}

const lost: Law = {
  name: "a connection that breaks is an error to whoever listens, and the next one hears",
  try: Effect.fnUntraced(function* ({ adapter, fake }) {
    const { connect } = yield* need("stream", adapter.stream)
    const { hangUp, text } = fake
    if (hangUp === undefined) return yield* skip("the fake cannot hang up")
    const first = yield* connect
    yield* hangUp
    const error = yield* failureOf(first.next)
    assert.strictEqual(error.reason._tag, "Unavailable")
    const next = yield* connect
    yield* text(personOf(fake), "STOP")
    yield* tellsUntil(next, is(personOf(fake), "opted-out"))
  })
}

const ended: Law = {
  name: "closing the scope of a stream hangs up",
  try: Effect.fnUntraced(function* ({ adapter, fake }) {
    const { connect } = yield* need("stream", adapter.stream)
    const scope = yield* Scope.make()
    yield* Scope.provide(connect, scope)
    yield* until(Effect.map(fake.inFlight, (count) => count > 0))
    yield* Scope.close(scope, Exit.void)
    yield* atRest(fake)
  })
}

export const streamLaws: ReadonlyArray<Law> = [heard, missed, lost, ended]
