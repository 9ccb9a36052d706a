import { assert, describe, it } from "@effect/vitest"
import { AccountName, by } from "@stopline/consent"
import type { RawRequest } from "@stopline/provider"
import { Effect, Redacted } from "effect"
import { makeRingCentralAdapter, ringcentralKeywords } from "../src/index.ts"
import { open, otherSender, person, sender } from "./ports.ts"
import { configFor, secrets } from "./server.ts"

const account = AccountName.make("acme")
const receivedAt = Date.UTC(2026, 1, 3, 10, 0, 5)

const receive = Effect.fn(function* (request: Partial<RawRequest>) {
  const adapter = yield* makeRingCentralAdapter(configFor("https://platform.ringcentral.com"))
  return yield* open(adapter.events).receive({
    method: "POST",
    headers: { "verification-token": secrets.verificationToken, "content-type": "application/json" },
    query: {},
    body: "",
    receivedAt,
    ...request
  })
})

const event = (path: string, body: unknown, more: object = {}) =>
  receive({
    body: JSON.stringify({
      uuid: "730029-uuid",
      event: path,
      timestamp: "2026-02-03T10:00:00.123Z",
      subscriptionId: "s-1",
      ownerId: "1",
      body,
      ...more
    })
  })

const understood = <E, R>(received: Effect.Effect<Effect.Success<ReturnType<typeof receive>>, E, R>) =>
  Effect.map(received, (told) => {
    assert.strictEqual(told._tag, "Understood")
    if (told._tag !== "Understood") throw new Error(told._tag)
    assert.deepStrictEqual(told.reply, { status: 200, headers: { "content-type": "application/json" }, body: "" })
    return told
  })

const optOuts = "/restapi/v1.0/account/4711/a2p-sms/opt-outs"
const messages = `/restapi/v1.0/account/4711/a2p-sms/messages?direction=Inbound&to=${sender}`
const consents = "/restapi/v2/accounts/4711/sms/consents"

const at = Date.UTC(2026, 1, 3, 10, 0, 0, 123)
const exactly = (time: number) => ({ notBefore: time, notAfter: time })

describe("the handshake", () => {
  it.live("gives the token back in a small JSON answer, with no proof asked", () =>
    Effect.gen(function* () {
      const told = yield* receive({ headers: { "validation-token": "b8e2-4c1f" }, body: "" })
      assert.deepStrictEqual(told, {
        _tag: "Handshake",
        reply: {
          status: 200,
          headers: { "content-type": "application/json", "validation-token": "b8e2-4c1f" },
          body: ""
        }
      })
    })
  )

  it.live("gives back nothing that is no token or too long for the answer", () =>
    Effect.gen(function* () {
      for (const token of ["", "two words", "x".repeat(513), "line\r\nset-cookie: a=b"]) {
        assert.strictEqual((yield* receive({ headers: { "validation-token": token } }))._tag, "NotUnderstood")
      }
    })
  )

  it.live("is no way around the proof: with a body it is an event", () =>
    Effect.gen(function* () {
      const body = JSON.stringify({ uuid: "u", event: optOuts, body: { from: sender, to: person(1), active: false } })
      for (const token of ["b8e2", secrets.verificationToken]) {
        assert.strictEqual((yield* receive({ headers: { "validation-token": token }, body }))._tag, "NotAuthentic")
      }
    })
  )
})

describe("the proof", () => {
  it.live("is the configured token, whole", () =>
    Effect.gen(function* () {
      const token = secrets.verificationToken
      for (const forged of [undefined, "", token.slice(1), `${token}x`, token.toUpperCase(), ` ${token}`]) {
        const told = yield* receive({
          headers: forged === undefined ? {} : { "verification-token": forged },
          body: JSON.stringify({ uuid: "u", event: optOuts, body: { from: sender, to: person(1), active: true } })
        })
        assert.strictEqual(told._tag, "NotAuthentic")
        assert.strictEqual(told.reply.status, 401)
        assert.notInclude(JSON.stringify(told), "hushhush")
      }
    })
  )

  it.live("missing from the configuration, there are no events, and the reason says what to set", () =>
    Effect.gen(function* () {
      const { verificationToken: _, ...config } = configFor("https://platform.ringcentral.com")
      const { events } = yield* makeRingCentralAdapter(config)
      assert.strictEqual(events._tag, "NotYet")
      assert.match(events._tag === "NotYet" ? events.reason : "", /set verificationToken/)
    })
  )

  it.live("cannot be empty or short", () =>
    Effect.gen(function* () {
      for (const token of ["", "short"]) {
        const config = configFor("https://platform.ringcentral.com", { verificationToken: Redacted.make(token) })
        assert.strictEqual((yield* Effect.flip(makeRingCentralAdapter(config)))._tag, "RingCentralConfigError")
      }
    })
  )
})

describe("an opt-out event", () => {
  it.live("is one observation of one pair, either way, by nobody named", () =>
    Effect.gen(function* () {
      for (const [active, state] of [
        [true, "opted-out"],
        [false, "opted-in"]
      ] as const) {
        const told = yield* understood(event(optOuts, { from: sender, to: person(1), active }))
        assert.deepStrictEqual(told.problems, [])
        assert.deepStrictEqual(told.observations, [
          {
            account,
            sender,
            recipient: person(1),
            state,
            origin: "unknown",
            basis: "event",
            time: exactly(at),
            reach: "pair",
            key: "event:730029-uuid",
            evidence: { eventId: "730029-uuid" }
          }
        ])
      }
    })
  )

  it.live("without a readable time happened before it came", () =>
    Effect.gen(function* () {
      const told = yield* understood(
        event(optOuts, { from: sender, to: person(1), active: true }, { timestamp: "now" })
      )
      assert.deepStrictEqual(told.observations[0]?.time, { notBefore: Number.NEGATIVE_INFINITY, notAfter: receivedAt })
    })
  )

  it.live("with a filter in its name is the same event", () =>
    Effect.gen(function* () {
      const told = yield* understood(event(`${optOuts}?from=${sender}`, { from: sender, to: person(1), active: true }))
      assert.strictEqual(told.observations.length, 1)
    })
  )

  it.live("with a number that cannot be read is a problem, named without it", () =>
    Effect.gen(function* () {
      const told = yield* understood(event(optOuts, { from: sender, to: "12", active: true }))
      assert.deepStrictEqual(told.observations, [])
      assert.deepStrictEqual(told.problems, [{ row: "body", reason: "to is no phone number" }])
    })
  )
})

describe("an inbound message", () => {
  const sample = { id: "7119", from: person(1), to: [sender], direction: "Inbound", messageStatus: "Delivered" }
  const message = (text: unknown, more: object = {}) =>
    event(messages, {
      id: "8042",
      from: person(1),
      to: [sender],
      text,
      direction: "Inbound",
      messageStatus: "Delivered",
      creationTime: "2026-02-03T09:59:58.985974Z",
      ...more
    })

  it.live("says what its words say, at the time it was written", () =>
    Effect.gen(function* () {
      const told = yield* understood(message(" Stop! "))
      const written = Date.UTC(2026, 1, 3, 9, 59, 58, 985)
      assert.deepStrictEqual(told.observations, [
        {
          account,
          sender,
          recipient: person(1),
          state: "opted-out",
          origin: "recipient",
          basis: "message",
          // Digits beyond a millisecond widen it.
          time: { notBefore: written, notAfter: written + 1 },
          reach: "group",
          key: "message:8042",
          evidence: { messageId: "8042", keyword: "STOP", eventId: "730029-uuid" }
        }
      ])
    })
  )

  it.live("is heard by RingCentral's words and by the law's", () =>
    Effect.gen(function* () {
      const heard = (text: string) =>
        Effect.map(understood(message(text)), ({ observations: [first] }) => first && [first.state, first.reach])
      for (const word of [...ringcentralKeywords.optOut, "REVOKE", "opt out", "StopAll"]) {
        assert.deepStrictEqual(yield* heard(word), ["opted-out", "group"], word)
      }
      for (const word of ["START", "unstop"]) assert.deepStrictEqual(yield* heard(word), ["opted-in", "group"], word)
      for (const word of ["SUBSCRIBE", "RESUME", "continue"]) {
        assert.deepStrictEqual(yield* heard(word), ["opted-in", "pair"], word)
      }
      for (const text of ["Thanks!", "", "don't stop"]) assert.isUndefined(yield* heard(text), text)
    })
  )

  it.live("to two senders is two facts", () =>
    Effect.gen(function* () {
      const told = yield* understood(message("STOP", { to: [sender, "nobody", otherSender] }))
      assert.deepStrictEqual(
        told.observations.map(({ key, sender }) => [key, sender]),
        [
          ["message:8042#0", sender],
          ["message:8042#2", otherSender]
        ]
      )
      assert.deepStrictEqual(
        told.problems.map(({ row }) => row),
        ["to[1]"]
      )
    })
  )

  it.live("has one key, whether its long id comes as a text or as a number", () =>
    Effect.gen(function* () {
      const keys = yield* Effect.forEach(["5496200236759723935", Number("5496200236759723935")], (id) =>
        Effect.map(understood(message("STOP", { id })), ({ observations: [first] }) => first?.key)
      )
      const written = Date.UTC(2026, 1, 3, 9, 59, 58, 985)
      assert.deepStrictEqual(keys, Array(2).fill(`message:${sender}:opted-out@${written + 1}`))
    })
  )

  it.live("without text or going out says nothing", () =>
    Effect.gen(function* () {
      const silent = [message(null), message(undefined), message("STOP", { direction: "Outbound" })]
      for (const each of silent) assert.deepStrictEqual((yield* understood(each)).observations, [])
    })
  )

  it.live("without a readable time was written before it was told of", () =>
    Effect.gen(function* () {
      for (const creationTime of ["yesterday", "0001-01-01T00:00:00Z"]) {
        const told = yield* understood(message("STOP", { creationTime }))
        assert.deepStrictEqual(told.observations[0]?.time, by(at))
      }
      // In RingCentral's own sample the event is half a second younger than its message.
      const start = event(messages, { ...sample, text: "START" }, { timestamp: "2021-05-26T04:16:43.533Z" })
      const told = yield* understood(start)
      assert.isAtMost(told.observations[0]?.time.notBefore ?? 0, Date.parse("2021-05-26T04:16:42.985Z"))
    })
  )
})

describe("a consent change of the newer API", () => {
  it.live("says who and when, row by row", () =>
    Effect.gen(function* () {
      const row = {
        from: sender,
        to: person(1),
        optStatus: "OptOut",
        lastModifiedTime: "2026-02-03T09:59:59.473705035Z"
      }
      const told = yield* understood(
        event(consents, {
          records: [
            { ...row, source: "Recipient" },
            { ...row, from: otherSender, optStatus: "OptIn", source: "Api" },
            { ...row, source: "Upstream" },
            { ...row, from: "*", source: "Carrier", lastModifiedTime: null },
            { ...row, source: "Weather" },
            { ...row, optStatus: "Perhaps" },
            { ...row, to: "?" }
          ]
        })
      )
      assert.deepStrictEqual(
        told.observations.map(({ key, origin, sender, state }) => [key, sender, state, origin]),
        [
          ["event:730029-uuid#0", sender, "opted-out", "recipient"],
          ["event:730029-uuid#1", otherSender, "opted-in", "api"],
          ["event:730029-uuid#2", sender, "opted-out", "carrier"],
          ["event:730029-uuid#3", "*", "opted-out", "carrier"],
          ["event:730029-uuid#4", sender, "opted-out", "unknown"]
        ]
      )
      const written = Date.UTC(2026, 1, 3, 9, 59, 59, 473)
      assert.deepStrictEqual(told.observations[0]?.time, { notBefore: written, notAfter: written + 1 })
      assert.deepStrictEqual(told.observations[3]?.time, by(at))
      assert.deepStrictEqual(
        told.problems.map(({ row }) => row),
        ["records[5]", "records[6]"]
      )
    })
  )

  it.live(
    "of the whole account is of every sender, as is an opt-out that names none, and an opt-in to one kind of campaign is none (L1, L3)",
    () =>
      Effect.gen(function* () {
        const row = { from: sender, to: person(1), optStatus: "OptIn", source: "Recipient" }
        const records = [
          { ...row, coverage: "Account" },
          { ...row, coverage: "CampaignType" },
          // It need not name its coverage.
          { ...row, campaignType: "Promotional" },
          { ...row, campaignType: null },
          { ...row, campaignType: "Promotional", from: undefined, optStatus: "OptOut" }
        ]
        const told = yield* understood(event(consents, { records }))
        assert.deepStrictEqual(
          [told.observations.map(({ sender }) => sender), told.problems.map(({ row }) => row)],
          [
            ["*", sender, "*"],
            ["records[1]", "records[2]"]
          ]
        )
      })
  )

  it.live("of one record has the event's own key", () =>
    Effect.gen(function* () {
      const records = [{ from: sender, to: person(1), optStatus: "OptOut", source: "Recipient" }]
      const told = yield* understood(event(consents, { records }))
      assert.strictEqual(told.observations[0]?.key, "event:730029-uuid")
    })
  )
})

describe("what is no such event", () => {
  it.live("tells that the subscription is ending if it is a reminder, and is reported if nobody asked for it", () =>
    Effect.gen(function* () {
      const reminder = yield* event("/restapi/v1.0/subscription/~?threshold=60", { id: "s-1" })
      assert.strictEqual(reminder._tag, "Ending")
      assert.strictEqual(reminder.reply.status, 200)
      const presence = yield* understood(event("/restapi/v1.0/account/4711/extension/1/presence", {}))
      assert.deepStrictEqual(
        presence.problems.map(({ row }) => row),
        ["event"]
      )
    })
  )

  it.live("is refused if its shape is not the promised one", () =>
    Effect.gen(function* () {
      const whole = JSON.stringify({ uuid: "u", event: optOuts, body: { from: sender, to: person(1), active: true } })
      for (let end = 0; end < whole.length; end++) {
        const told = yield* receive({ body: whole.slice(0, end) })
        assert.strictEqual(told._tag, "NotUnderstood", whole.slice(0, end))
        assert.strictEqual(told.reply.status, 400)
      }
      for (const broken of [
        event(optOuts, { from: sender, to: person(1) }),
        event(optOuts, { from: sender, to: person(1), active: "true" }),
        event(optOuts, null),
        event(messages, { id: "1", text: "STOP" }),
        event(consents, { records: {} }),
        event(optOuts, { from: sender, to: person(1), active: true }, { uuid: "" }),
        receive({ body: "<html>" }),
        receive({ body: "[]" })
      ]) {
        const told = yield* broken
        assert.strictEqual(told._tag, "NotUnderstood")
        assert.notMatch(JSON.stringify(told), /\d{7}/)
      }
    })
  )
})
