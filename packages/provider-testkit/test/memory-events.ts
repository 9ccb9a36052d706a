/** How the provider in memory tells what people texted: by a webhook, by a stream, and when it is asked. */
import {
  AccountName,
  hear,
  type Observation,
  point,
  Recipient,
  ruleAt,
  SenderAddress,
  unitedStates
} from "@stopline/consent"
import type { EventPort, ProviderError, RawRequest, Received, StreamPort, SubscriptionPort } from "@stopline/provider"
import { Effect, Queue, Schema } from "effect"
import type { Memory } from "./memory.ts"

export const account = AccountName.make("memory")
export const sender = SenderAddress.make("+14255550100")
export const secret = "known-to-nobody-else"
export const keywords = { optOut: ["STOP"], optIn: ["START"] }

const Text = Schema.Struct({ id: Schema.String, from: Recipient, words: Schema.String })
export type MemoryText = typeof Text.Type

const told = ({ from, id, words }: MemoryText, at: number): ReadonlyArray<Observation> => {
  const heard = hear(words, keywords, ruleAt(unitedStates, at))
  if (heard === undefined) return []
  const { keyword, reach, state } = heard
  const observation: Observation = {
    account,
    sender,
    recipient: from,
    state,
    origin: "recipient",
    basis: "message",
    time: point(at),
    reach,
    key: `message:${id}`,
    evidence: { keyword }
  }
  return [observation]
}

const reply = (status: number) => ({ status, headers: {}, body: "" })

const understood = (text: MemoryText, at: number): Received => ({
  _tag: "Understood",
  observations: told(text, at),
  problems: [],
  reply: reply(200)
})

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Text))

const receive = ({ body, headers, receivedAt }: RawRequest): Received => {
  const { hello } = headers
  if (hello !== undefined && body === "") return { _tag: "Handshake", reply: { status: 200, headers: { hello }, body } }
  if (headers["secret"] !== secret) return { _tag: "NotAuthentic", reason: "no secret", reply: reply(401) }
  const text = decode(body)
  return text._tag === "None"
    ? { _tag: "NotUnderstood", reason: "no text", reply: reply(400) }
    : understood(text.value, receivedAt)
}

export const eventPort: EventPort = { receive: (request) => Effect.sync(() => receive(request)) }

/** A page for each text. */
const missed =
  ({ texts }: Memory): SubscriptionPort["missed"] =>
  ({ until }, cursor = "0") =>
    Effect.sync(() => {
      const next = Number(cursor) + 1
      return {
        observations: texts.slice(next - 1, next).flatMap((text) => told(text, until)),
        problems: [],
        next: next < texts.length ? { _tag: "More", cursor: String(next) } : { _tag: "End" }
      }
    })

export const subscriptionPort = (memory: Memory): SubscriptionPort => ({
  ensure: (url) =>
    Effect.andThen(
      memory.ask("subscribe", () => undefined),
      memory.subscribe(url)
    ),
  missed: missed(memory)
})

export const streamPort = (memory: Memory): StreamPort => ({
  connect: Effect.gen(function* () {
    yield* memory.ask("connect", () => undefined)
    const line = yield* Queue.unbounded<MemoryText, ProviderError>()
    yield* Effect.acquireRelease(
      Effect.sync(() => memory.lines.add(line)),
      () => Effect.sync(() => memory.lines.delete(line))
    )
    const next = Effect.map(Queue.take(line), (text) => understood(text, 0))
    return { subscription: { id: "line", missing: [] }, next }
  }),
  missed: missed(memory)
})
