import { describe, expect, it } from "@effect/vitest"
import { by, parseTimestamp } from "@stopline/consent"
import { Effect, Redacted } from "effect"
import { makeAzureAdapter } from "../src/index.ts"
import { account, connectionString, portOf, shortCode, tollFree } from "./fake.ts"

const secret = "4f1a-made-up-for-these-tests"
const receivedAt = Date.UTC(2026, 10, 21, 9)

const receive = Effect.fn(function* (body: unknown) {
  const adapter = yield* makeAzureAdapter({
    account,
    connectionString: connectionString("https://contoso.communication.azure.com"),
    webhookSecrets: [Redacted.make(secret)]
  })
  const received = yield* portOf(adapter.events).receive({
    method: "POST",
    headers: { "aeg-event-type": "Notification" },
    query: { code: secret },
    body: JSON.stringify(body),
    receivedAt
  })
  if (received._tag !== "Understood") return yield* Effect.die(`not understood: ${received._tag}`)
  expect(received.reply.status).toBe(200)
  return received
})

const topic = "/subscriptions/0/resourcegroups/x/providers/microsoft.communication/communicationservices/contoso"

/** Event Grid schema. */
const grid = (eventType: string, data: object) => ({
  id: "Incoming_1",
  topic,
  subject: "/phonenumber/14255550100",
  data,
  eventType,
  dataVersion: "1.0",
  metadataVersion: "1",
  eventTime: "2026-11-21T08:59:59Z"
})

/** CloudEvents 1.0. */
const cloud = (type: string, data: object) => ({
  id: "Incoming_1",
  source: topic,
  subject: "/phonenumber/14255550100",
  type,
  time: "2026-11-21T08:59:59.0000000Z",
  data,
  specversion: "1.0"
})

const pascal = (data: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key[0]?.toUpperCase() + key.slice(1), value]))

const received = "Microsoft.Communication.SMSReceived"
const report = "Microsoft.Communication.SMSDeliveryReportReceived"

const text = (message: string, more: object = {}) => ({
  messageId: "Incoming_1",
  from: "12065551000",
  to: "14255550100",
  message,
  receivedTimestamp: "2026-11-21T08:59:58.1234567Z",
  segmentCount: 1,
  ...more
})

const failed = (deliveryStatusDetails: string | number, more: object = {}) => ({
  messageId: "Outgoing_1",
  from: "14255550100",
  to: "+12065551000",
  deliveryStatus: "Failed",
  deliveryStatusDetails,
  receivedTimestamp: "2026-11-21T08:59:58.1234567Z",
  deliveryAttempts: [{ timestamp: "2026-11-21T08:59:57Z", segmentsSucceeded: 0, segmentsFailed: 1 }],
  tag: "a campaign",
  ...more
})

const stopped = {
  account,
  sender: "+14255550100",
  recipient: "+12065551000",
  state: "opted-out",
  origin: "recipient",
  basis: "message",
  time: parseTimestamp("2026-11-21T08:59:58.1234567Z"),
  reach: "group",
  key: "message:Incoming_1",
  evidence: { messageId: "Incoming_1", eventId: "Incoming_1", keyword: "STOP" }
}

describe("a text that people send", () => {
  const spellings: ReadonlyArray<readonly [string, unknown]> = [
    ["Event Grid schema", [grid(received, text("STOP"))]],
    ["Event Grid schema, PascalCase", [grid(received, pascal(text("STOP")))]],
    ["Event Grid schema, everything PascalCase", [pascal(grid(received, pascal(text("STOP"))))]],
    ["Event Grid schema without the list", grid(received, text("STOP"))],
    ["CloudEvents", cloud(received, text("STOP"))],
    ["CloudEvents, PascalCase", cloud(received, pascal(text("STOP")))],
    ["CloudEvents in a batch", [cloud(received, text("STOP"))]],
    ["a plus before the numbers", [grid(received, text("STOP", { from: "+12065551000", to: "+14255550100" }))]],
    ["a plus before one number", [grid(received, text("STOP", { to: "+14255550100" }))]],
    ["another case of the kind", [grid(received.toLowerCase(), text("STOP"))]],
    ["other cases and marks in the text", [grid(received, text(" Stop!! 🛑 "))]]
  ]
  for (const [what, body] of spellings) {
    it.live(`is read in any spelling: ${what}`, () =>
      Effect.gen(function* () {
        const { observations, problems } = yield* receive(body)
        expect(problems).toEqual([])
        expect(observations).toEqual([stopped])
      })
    )
  }

  it.live("is carried out by Azure where it is START alone, and not for certain at a short code (L5, L7)", () =>
    Effect.gen(function* () {
      const acted = Effect.fn(function* (message: string, to: string) {
        const { observations } = yield* receive([grid(received, text(message, { to }))])
        const { acted, mayHaveActed } = observations[0]?.evidence ?? {}
        return { acted, mayHaveActed }
      })
      expect(yield* acted("start ", tollFree)).toEqual({ acted: true })
      expect(yield* acted("Start, please", tollFree)).toEqual({})
      expect(yield* acted("START", shortCode)).toEqual({ mayHaveActed: true })
    })
  )

  it.live("with the date of nothing was sent when its event says, and not before every START (L1)", () =>
    Effect.gen(function* () {
      for (const receivedTimestamp of ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00+00:00"]) {
        const { observations } = yield* receive([grid(received, text("STOP", { receivedTimestamp }))])
        expect(observations[0]?.time).toEqual(by(Date.UTC(2026, 10, 21, 8, 59, 59, 999)))
      }
    })
  )

  const words: ReadonlyArray<readonly [string, object | undefined]> = [
    ["ARRET", { state: "opted-out", evidence: { keyword: "ARRET" } }],
    ["opt out", { state: "opted-out" }],
    ["STOPALL", { state: "opted-out" }],
    ["please stop texting me", { state: "opted-out" }],
    ["START", { state: "opted-in", reach: "group", origin: "recipient", basis: "message" }],
    ["unstop", { state: "opted-in", reach: "group" }],
    // Opt-in words of other providers say nothing here.
    ["YES", undefined],
    ["RESUME", undefined],
    ["HELP", undefined],
    ["don't stop", undefined],
    ["See you at the bus stop at 8", undefined],
    ["", undefined]
  ]
  for (const [message, expected] of words) {
    it.live(`says by "${message}" ${expected === undefined ? "nothing about consent" : JSON.stringify(expected)}`, () =>
      Effect.gen(function* () {
        const { observations, problems } = yield* receive([grid(received, text(message))])
        expect(problems).toEqual([])
        if (expected === undefined) expect(observations).toEqual([])
        else expect(observations).toMatchObject([expected])
      })
    )
  }

  it.live("is never kept", () =>
    Effect.gen(function* () {
      const message = "Please stop. My account is 4111-1111 and my name is Ada"
      const { observations } = yield* receive([grid(received, text(message))])
      expect(observations).toHaveLength(1)
      expect(JSON.stringify(observations)).not.toMatch(/4111|Ada|account is/)
    })
  )

  it.live("to a short code is about that short code, whoever's it is", () =>
    Effect.gen(function* () {
      const { observations } = yield* receive([grid(received, text("STOP", { to: "20500" }))])
      expect(observations).toMatchObject([{ sender: "20500", recipient: "+12065551000" }])
    })
  )

  it.live("takes its time from the best clock there is", () =>
    Effect.gen(function* () {
      const timeOf = Effect.fn(function* (event: object) {
        const { observations } = yield* receive([event])
        return observations[0]?.time
      })
      const bare = text("STOP", { receivedTimestamp: undefined })
      // Given in whole seconds, so any moment of that one.
      const sent = by(Date.UTC(2026, 10, 21, 8, 59, 59, 999))
      expect(yield* timeOf(grid(received, bare))).toEqual(sent)
      expect(yield* timeOf(cloud(received, bare))).toEqual(by(Date.UTC(2026, 10, 21, 8, 59, 59)))
      const zoneless = text("STOP", { receivedTimestamp: "2026-11-21T08:59:58" })
      expect(yield* timeOf(grid(received, zoneless))).toEqual(sent)
      const odd = text("STOP", { receivedTimestamp: 1_795_000_000 })
      expect(yield* timeOf({ ...grid(received, odd), eventTime: null })).toEqual(by(receivedAt))
    })
  )

  it.live("was texted before Event Grid told of it, how long nobody knows: a START so dated clears nothing (L4)", () =>
    Effect.gen(function* () {
      // In Azure's own sample the event is made 1.68 seconds after the text was received.
      const start = text("START", { receivedTimestamp: undefined })
      const { observations } = yield* receive([{ ...grid(received, start), eventTime: "2020-09-18T00:27:47Z" }])
      expect(observations[0]?.time.notBefore).toBeLessThanOrEqual(Date.UTC(2020, 8, 18, 0, 27, 45, 320))
    })
  )

  it.live("has the same key whenever it is delivered, and another one for another text", () =>
    Effect.gen(function* () {
      const keyOf = Effect.fn(function* (event: object) {
        const { observations } = yield* receive([event])
        return observations[0]?.key
      })
      const anonymous = text("STOP", { messageId: "" })
      expect(yield* keyOf(grid(received, anonymous))).toBe("message:Incoming_1")
      const nameless = { ...grid(received, anonymous), id: undefined }
      const first = yield* keyOf(nameless)
      expect(yield* keyOf(nameless)).toBe(first)
      const later = grid(received, { ...anonymous, receivedTimestamp: "2026-11-21T08:59:59Z" })
      expect(yield* keyOf({ ...later, id: undefined })).not.toBe(first)
    })
  )
})

describe("a delivery report", () => {
  const blocked = {
    account,
    sender: "+14255550100",
    recipient: "+12065551000",
    state: "opted-out",
    origin: "unknown",
    basis: "send-error",
    time: by(Date.UTC(2026, 10, 21, 8, 59, 58, 124)),
    reach: "group",
    key: "report:Outgoing_1",
    evidence: { messageId: "Outgoing_1", eventId: "Incoming_1" }
  }
  const details = [
    "4007: The Destination/To number opted out of receiving messages from you.",
    " 4007",
    "Error 4007",
    4007,
    "The recipient has opted-out",
    "User has opt out",
    "The Destination/To number opted out of receiving messages from you.",
    "Sender blocked for given recipient."
  ]
  for (const words of details) {
    it.live(`is an opt-out when it says "${words}"`, () =>
      Effect.gen(function* () {
        for (const body of [
          [grid(report, failed(words))],
          [grid(report, pascal(failed(words)))],
          cloud(report, failed(words)),
          cloud(report, pascal(failed(words)))
        ]) {
          expect(yield* receive(body)).toMatchObject({ observations: [blocked], problems: [] })
        }
      })
    )
  }

  const others = [
    failed("4010: Message was blocked due to the toll-free number not being verified."),
    failed("4005: Message was blocked by Destination carrier."),
    failed("40070: something else"),
    failed("4005: it does not say how to opt out"),
    failed("4010: the toll-free number is not verified; the recipient has not opted out"),
    failed(""),
    failed("4007", { deliveryStatus: "Delivered" }),
    failed("No error.", { deliveryStatus: "Delivered" }),
    failed("4007", { deliveryStatus: undefined }),
    failed("4007", { deliveryStatusDetails: undefined })
  ]
  for (const data of others) {
    const { deliveryStatus, deliveryStatusDetails } = data
    it.live(`is nothing when it says ${deliveryStatus ?? "no status"}, "${deliveryStatusDetails ?? "nothing"}"`, () =>
      Effect.gen(function* () {
        expect(yield* receive([grid(report, data)])).toMatchObject({ observations: [], problems: [] })
      })
    )
  }
})

describe("a broken event", () => {
  it.live("spares the others, and its problem names no number", () =>
    Effect.gen(function* () {
      const { observations, problems } = yield* receive([
        grid(received, text("STOP", { from: undefined })),
        grid(received, text("STOP", { from: "12" })),
        grid(received, text("STOP", { to: "CONTOSO" })),
        { ...grid(received, {}), data: "STOP from 12065551000" },
        "12065551000",
        grid(report, failed("4007", { to: 12_065_551_000 })),
        // Of an object that calls a number its text, JavaScript makes no text.
        grid(report, failed("", { deliveryStatusDetails: { toString: 4007 } })),
        grid(received, text("STOP"))
      ])
      expect(observations).toEqual([stopped])
      expect(problems.map(({ row }) => row)).toEqual([0, 1, 2, 3, 4, 5].map((index) => `events[${index}]`))
      expect(JSON.stringify(problems)).not.toMatch(/\d{4}/)
    })
  )

  it.live("is none when it is not about consent", () =>
    Effect.gen(function* () {
      const { observations, problems } = yield* receive([
        grid(received, text("hello", { from: undefined })),
        grid(received, text("hello", { message: undefined })),
        grid(report, failed("4001: unreachable", { to: undefined }))
      ])
      expect([observations, problems]).toEqual([[], []])
    })
  )

  it.live("among thousands costs only itself", () =>
    Effect.gen(function* () {
      const many = Array.from({ length: 5000 }, (_, index) =>
        grid(
          received,
          text("STOP", { messageId: `Incoming_${index}`, from: index === 7 ? "?" : `1206${5_550_000 + index}` })
        )
      )
      const { observations, problems } = yield* receive(many)
      expect([observations.length, problems.length]).toEqual([4999, 1])
      expect(new Set(observations.map(({ key }) => key)).size).toBe(4999)
    })
  )
})

describe("a text about something else", () => {
  const met = { sender: "+14255550100", recipient: "+12065551000", at: Date.UTC(2026, 10, 21, 8) }
  const at = "2026-11-21T08:00:00.0000000Z"
  const delivered = {
    messageId: "Outgoing_1",
    from: "14255550100",
    to: "+12065551000",
    deliveryStatus: "Delivered",
    deliveryStatusDetails: "No error.",
    receivedTimestamp: at
  }

  it.live("tells whom a sender is in touch with, whoever wrote, delivered or not", () =>
    Effect.gen(function* () {
      const { contacts, observations } = yield* receive([
        grid(received, { from: "12065551000", to: "14255550100", message: "hello", receivedTimestamp: at }),
        grid(report, delivered),
        cloud(report, pascal({ ...delivered, deliveryStatus: "Failed", deliveryStatusDetails: "4010: blocked" }))
      ])
      expect(observations).toEqual([])
      expect(contacts).toEqual([met, met, met])
    })
  )

  it.live("happened no later than it was told, and where nobody can tell between whom, is nothing", () =>
    Effect.gen(function* () {
      const { contacts, problems } = yield* receive([
        grid(report, { ...delivered, receivedTimestamp: "2099-01-01T00:00:00.0000000Z" }),
        grid(report, { ...delivered, to: "nobody" }),
        grid(received, { from: "12065551000", to: "CONTOSO", message: "hello" })
      ])
      expect(contacts).toEqual([{ ...met, at: receivedAt }])
      expect(problems).toEqual([])
    })
  )
})
