/** Webhooks: who is believed, and what a text or a report says about consent. */
import { describe, expect, it } from "@effect/vitest"
import type { Observation } from "@stopline/consent"
import type { RawRequest, Received } from "@stopline/provider"
import { Effect, Redacted } from "effect"
import { getExpectedBodyHash, getExpectedTwilioSignature } from "twilio/lib/webhooks/webhooks.js"
import { adapterAt, authToken, messagingService, open, people, sender, tollFree } from "./script.ts"

const [ann] = people(1) as [never]
const webhookUrl = "https://sms.example.com/webhooks/fabrikam"
const receivedAt = Date.UTC(2026, 10, 21, 12)

type Fields = Readonly<Record<string, string>>

const text: Fields = { MessageSid: "SM1", From: ann, To: sender, Body: "STOP", SmsStatus: "received", NumMedia: "0" }

interface Signing {
  readonly url?: string
  readonly token?: string
}

/** A form as Twilio posts it, signed by Twilio's own function. */
const posted = (fields: Fields, { token = authToken, url = webhookUrl }: Signing = {}): RawRequest => ({
  method: "POST",
  headers: {
    "content-type": "application/x-www-form-urlencoded; charset=UTF-8",
    "x-twilio-signature": getExpectedTwilioSignature(token, url, fields)
  },
  query: {},
  body: new URLSearchParams(fields).toString(),
  receivedAt
})

const receive = Effect.fn(function* (request: RawRequest, url = webhookUrl, service?: string) {
  const adapter = yield* adapterAt("http://127.0.0.1:1", {
    webhook: { url, authToken: Redacted.make(authToken) },
    ...(service !== undefined && { messagingService: service, senders: [sender, tollFree] })
  })
  return yield* open(adapter.events).receive(request)
})

const observed = (received: Received): ReadonlyArray<Observation> => {
  expect(received._tag).toBe("Understood")
  return received._tag === "Understood" ? received.observations : []
}

const heard = Effect.fn(function* (more: Fields, service?: string) {
  return observed(yield* receive(posted({ ...text, ...more }), webhookUrl, service))
})

describe("a webhook request", () => {
  it.live("is believed when Twilio signed it, and acknowledged without a word to the person", () =>
    Effect.gen(function* () {
      const received = yield* receive(posted(text))
      expect(received).toMatchObject({ _tag: "Understood", problems: [], reply: { status: 204, body: "" } })
    })
  )

  it.live("is not believed when anything is wrong with its signature", () =>
    Effect.gen(function* () {
      const right = posted(text)
      const forged: ReadonlyArray<RawRequest> = [
        { ...right, headers: {} },
        { ...right, headers: { "x-twilio-signature": "" } },
        { ...right, headers: { "x-twilio-signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" } },
        { ...right, body: right.body.replace("STOP", "START") },
        { ...right, body: `${right.body}&OptOutType=STOP` },
        { ...right, method: "GET", query: text, body: "" },
        { ...right, query: { bodySHA256: getExpectedBodyHash(right.body) } },
        posted(text, { token: "another-token" }),
        posted(text, { url: "https://sms.example.com/webhooks/other" })
      ]
      for (const request of forged) {
        const received = yield* receive(request)
        expect(received).toMatchObject({ _tag: "NotAuthentic", reply: { status: 401, body: "" } })
        expect(JSON.stringify(received)).not.toContain(String(ann).slice(1))
        expect(JSON.stringify(received)).not.toContain(authToken)
      }
    })
  )

  it.live(
    "is believed with the port in the URL that Twilio signed, a query of its own, and parameters that are new",
    () =>
      Effect.gen(function* () {
        const port = "https://sms.example.com:443/webhooks/fabrikam"
        expect(yield* receive(posted(text, { url: port }))).toMatchObject({ _tag: "Understood" })
        const query = `${webhookUrl}?brand=a%20b&x=1`
        expect(yield* receive(posted(text, { url: query }), query)).toMatchObject({ _tag: "Understood" })
        expect(yield* receive(posted({ ...text, Novelty: "ünï + &=" }))).toMatchObject({ _tag: "Understood" })
      })
  )

  it.live("is believed with the token of before while that is being replaced, and not with a third", () =>
    Effect.gen(function* () {
      const webhook = {
        url: webhookUrl,
        authToken: Redacted.make("a-new-token"),
        previousAuthToken: Redacted.make(authToken)
      }
      const events = open((yield* adapterAt("http://127.0.0.1:1", { webhook })).events)
      const tagOf = Effect.fnUntraced(function* (token: string) {
        return (yield* events.receive(posted(text, { token })))._tag
      })
      expect(yield* tagOf("a-new-token")).toBe("Understood")
      expect(yield* tagOf(authToken)).toBe("Understood")
      expect(yield* tagOf("another-token")).toBe("NotAuthentic")
    })
  )

  it.live("by GET is told to come by POST, since a decoded query cannot be checked", () =>
    Effect.gen(function* () {
      const received = yield* receive({ ...posted(text), method: "GET", query: text, body: "" })
      expect(received).toMatchObject({ _tag: "NotAuthentic", reason: expect.stringContaining("POST") })
    })
  )

  it.live("is believed whether or not Twilio signs the connection overrides in the URL's fragment", () =>
    Effect.gen(function* () {
      const url = `${webhookUrl}#rc=3&rp=all`
      for (const signed of [webhookUrl, url]) {
        expect(yield* receive(posted(text, { url: signed }), url)).toMatchObject({ _tag: "Understood" })
      }
    })
  )

  it.live("in JSON is believed by the hash of its body", () =>
    Effect.gen(function* () {
      const json = (body: string, signedBody = body): RawRequest => {
        const hash = getExpectedBodyHash(signedBody)
        const signature = getExpectedTwilioSignature(authToken, `${webhookUrl}?bodySHA256=${hash}`, {})
        return {
          ...posted(text),
          headers: { "content-type": "application/json", "x-twilio-signature": signature },
          query: { bodySHA256: hash },
          body
        }
      }
      expect(observed(yield* receive(json(JSON.stringify(text))))).toMatchObject([{ state: "opted-out" }])
      const other = JSON.stringify({ ...text, Body: "START" })
      expect(yield* receive(json(other, JSON.stringify(text)))).toMatchObject({ _tag: "NotAuthentic" })
      expect(yield* receive(json("[]"))).toMatchObject({ _tag: "NotUnderstood", reply: { status: 400 } })
    })
  )

  it.live("of another product is not understood", () =>
    Effect.gen(function* () {
      const call = yield* receive(posted({ CallSid: "CA1", CallStatus: "ringing" }))
      expect(call).toMatchObject({ _tag: "NotUnderstood", reply: { status: 400 } })
      const bare = yield* receive(posted({ MessageSid: "SM1", From: ann, To: sender }))
      expect(bare).toMatchObject({ _tag: "NotUnderstood" })
    })
  )

  it.live("whose numbers cannot be read is a problem, and no observation", () =>
    Effect.gen(function* () {
      const received = yield* receive(posted({ ...text, From: "PIZZA4155550123" }))
      expect(received).toMatchObject({ _tag: "Understood", observations: [], problems: [{ row: "SM1" }] })
      expect(JSON.stringify(received)).not.toContain("4155550123")
    })
  )
})

describe("a text", () => {
  it.live("that says of itself that it was received is one that came in", () =>
    Effect.gen(function* () {
      expect(yield* heard({ MessageStatus: "received" })).toMatchObject([{ state: "opted-out", basis: "message" }])
    })
  )

  it.live("is what the person wants", () =>
    Effect.gen(function* () {
      expect(yield* heard({})).toEqual([
        {
          account: "fabrikam",
          sender,
          recipient: ann,
          state: "opted-out",
          origin: "recipient",
          basis: "message",
          // Twilio calls at once, and at its fallback URL half a minute later at most.
          time: { notBefore: receivedAt - 30_000, notAfter: receivedAt },
          reach: "group",
          key: "message:SM1",
          evidence: { messageId: "SM1", keyword: "STOP" }
        }
      ])
    })
  )

  const words: ReadonlyArray<readonly [string, string | undefined, string?]> = [
    ["STOPALL", "opted-out"],
    ["revoke", "opted-out"],
    ["Opt-Out", "opted-out"],
    ["please stop texting me", "opted-out"],
    ["start", "opted-in", "group"],
    ["YES", "opted-in", "pair"],
    ["HELP", undefined],
    ["the bus stop", undefined],
    ["", undefined]
  ]
  for (const [said, state, reach] of words) {
    it.live(`"${said}" is ${state ?? "nothing about consent"}`, () =>
      Effect.gen(function* () {
        const [observation] = yield* heard({ Body: said })
        expect(observation?.state).toBe(state)
        if (reach !== undefined) expect(observation?.reach).toBe(reach)
      })
    )
  }

  it.live("with an OptOutType also tells what Twilio holds", () =>
    Effect.gen(function* () {
      expect(yield* heard({ OptOutType: "STOP" })).toMatchObject([{ state: "opted-out", basis: "event" }])
      expect(yield* heard({ Body: "START", OptOutType: "START" })).toMatchObject([
        { state: "opted-in", basis: "event", reach: "group" }
      ])
      // Words that the business chose.
      expect(yield* heard({ Body: "Basta", OptOutType: "STOP" })).toMatchObject([
        { state: "opted-out", basis: "event", reach: "group", evidence: { keyword: "STOP" } }
      ])
      expect(yield* heard({ Body: "Vuelve", OptOutType: "START" })).toMatchObject([
        { state: "opted-in", basis: "event", reach: "pair" }
      ])
      expect(yield* heard({ Body: "Ayuda", OptOutType: "HELP" })).toEqual([])
    })
  )

  it.live("without one may have lifted Twilio's block, where it is START and nothing else (L5)", () =>
    Effect.gen(function* () {
      const evidenceOf = (Body: string, more = {}) => Effect.map(heard({ Body, ...more }), ([one]) => one?.evidence)
      expect(yield* evidenceOf("Start")).toMatchObject({ mayHaveActed: true })
      expect(yield* evidenceOf("Start!")).not.toHaveProperty("mayHaveActed")
      expect(yield* evidenceOf("START", { OptOutType: "START" })).not.toHaveProperty("mayHaveActed")
    })
  )

  it.live("that we take for an opt-out and Twilio for none is one, and says nothing of what Twilio holds", () =>
    Effect.gen(function* () {
      for (const OptOutType of ["START", "HELP"]) {
        expect(yield* heard({ Body: "stop texting me", OptOutType })).toMatchObject([
          { state: "opted-out", basis: "message" }
        ])
      }
      expect(yield* heard({ Body: "YES", OptOutType: "STOP" })).toMatchObject([{ state: "opted-out", basis: "event" }])
    })
  )

  it.live("on another channel counts when it is an opt-out, and never when it is an opt-in", () =>
    Effect.gen(function* () {
      const whatsApp = { From: `whatsapp:${String(ann)}`, To: `whatsapp:${tollFree}` }
      expect(yield* heard({ ...whatsApp, OptOutType: "STOP" })).toMatchObject([
        { state: "opted-out", basis: "message", sender: tollFree, recipient: ann }
      ])
      expect(yield* heard({ ...whatsApp, Body: "START", OptOutType: "START" })).toEqual([])
      // An RCS agent has no number; the Messaging Service stands for all of its senders.
      const rcs = { From: `rcs:${String(ann)}`, To: "rcs:fabrikam_agent", MessagingServiceSid: messagingService }
      expect(yield* heard(rcs, messagingService)).toMatchObject([{ state: "opted-out", sender: "*", recipient: ann }])
      expect(yield* receive(posted({ ...text, ...rcs }))).toMatchObject({
        observations: [],
        problems: [{ row: "SM1" }]
      })
    })
  )
})

describe("a status callback", () => {
  const failed: Fields = {
    MessageSid: "SM2",
    From: sender,
    To: ann,
    MessageStatus: "failed",
    SmsStatus: "failed",
    ErrorCode: "21610"
  }

  it.live("with 21610 is an opt-out that Twilio holds", () =>
    Effect.gen(function* () {
      expect(observed(yield* receive(posted(failed)))).toEqual([
        {
          account: "fabrikam",
          sender,
          recipient: ann,
          state: "opted-out",
          origin: "unknown",
          basis: "send-error",
          time: { notBefore: Number.NEGATIVE_INFINITY, notAfter: receivedAt },
          reach: "group",
          key: "blocked:SM2",
          evidence: { messageId: "SM2" }
        }
      ])
    })
  )

  it.live("with 21610 and no number of ours is about every sender of the Messaging Service, each by itself", () =>
    Effect.gen(function* () {
      const nameless = { ...failed, From: "", MessagingServiceSid: messagingService }
      const received = yield* receive(posted(nameless), webhookUrl, messagingService)
      expect(observed(received)).toMatchObject(
        [sender, tollFree].map((one) => ({
          sender: one,
          recipient: ann,
          basis: "send-error",
          key: `blocked:SM2:${one}`
        }))
      )
    })
  )

  it.live("of anything else says nothing about consent, even if it repeats our own text", () =>
    Effect.gen(function* () {
      for (const more of [{ ErrorCode: "30003" }, { ErrorCode: "30003", Body: "Reply STOP. STOP texting me" }]) {
        expect(observed(yield* receive(posted({ ...failed, ...more })))).toEqual([])
      }
      const delivered: Fields = { MessageSid: "SM2", From: sender, To: ann, MessageStatus: "delivered" }
      expect(observed(yield* receive(posted(delivered)))).toEqual([])
    })
  )
})

describe("without a webhook", () => {
  it.live("there are no events, and doctor says what to do", () =>
    Effect.gen(function* () {
      const { events } = yield* adapterAt("http://127.0.0.1:1")
      expect(events).toMatchObject({ _tag: "NotYet", reason: expect.stringContaining("authToken") })
    })
  )
})
