/** Three providers: what a person says at one is held by the two others, over real HTTP. */
import { createHmac } from "node:crypto"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { connect } from "../src/connect.ts"
import { parseConfig, withEnvironment } from "../src/index.ts"
import { twilio, twilioAccount, twilioSenders } from "./twilio.ts"
import { startWorker } from "./worker.ts"
import {
  acmeSender,
  azureHolds,
  azureSenders,
  eventually,
  lastRound,
  listenToAzure,
  makeWorld,
  ringcentralHolds,
  roundAfter,
  shortCode,
  type World,
  type WorldOptions
} from "./world.ts"

const [twilioSender = "", otherSender = ""] = twilioSenders

/** Behind the worker's own URL, as entered at Twilio: the default that comes of http.publicUrl. */
const start = Effect.fn(function* (messagingService: boolean, options: Pick<WorldOptions, "aheadMs"> = {}) {
  const world = yield* makeWorld({
    ...options,
    third: twilioAccount(messagingService)
  })
  const worker = yield* startWorker(world)
  yield* listenToAzure(world)
  yield* world.sandbox.listen({ account: twilio, url: `${world.url}/webhooks/${twilio}` })
  return { world, worker }
})

const twilioHolds = ({ sandbox }: World, sender: string, person: string) =>
  Effect.map(
    sandbox.state(twilio, sender),
    ({ senders }) => senders.find((each) => each.sender === sender)?.optedOut.includes(person) === true
  )

const heldEverywhere = Effect.fn(function* (world: World, person: string) {
  for (const sender of twilioSenders) {
    yield* eventually(`Twilio holds it for ${sender}`, twilioHolds(world, sender, person))
  }
  for (const sender of azureSenders) yield* eventually(`${sender} holds it`, azureHolds(world, sender, person))
  yield* eventually("RingCentral holds it", ringcentralHolds(world, person))
})

describe("a Twilio account in the configuration", () => {
  const text = `accounts:
  - name: ${twilio}
    vendor: twilio
    accountSid: AC${"0".repeat(32)}
    apiKey: SK${"1".repeat(32)}
    apiKeySecret: { env: FABRIKAM_API_KEY_SECRET }
    senders: ["${twilioSender}"]
    webhook: { authToken: { env: FABRIKAM_AUTH_TOKEN } }
`
  const secrets = { FABRIKAM_API_KEY_SECRET: "made-up-secret", FABRIKAM_AUTH_TOKEN: "made-up-token" }

  const connecting = Effect.fn(function* (yaml: string, environment: Readonly<Record<string, string>> = secrets) {
    const exit = yield* parseConfig("stopline.yaml", yaml).pipe(
      Effect.flatMap(connect),
      Effect.scoped,
      Effect.provide(withEnvironment({ ...environment })),
      Effect.result
    )
    return Result.isFailure(exit)
      ? exit.failure.message
      : exit.success.map(({ events, vendor }) => [vendor, events._tag])
  })

  it.live("is enough with a URL for its webhook, and says so without one", () =>
    Effect.gen(function* () {
      const unknown = "Twilio signs the webhook's URL, so it has to be known; set webhook.url here, or http.publicUrl"
      expect(yield* connecting(text)).toBe(`stopline.yaml:2: accounts[0]: ${unknown}`)
      const connected = [["twilio", "Can"]]
      expect(yield* connecting(`${text}http: { publicUrl: "https://sms.example.com" }\n`)).toEqual(connected)
      const named = text.replace("webhook: {", 'webhook: { url: "https://sms.example.com/hook",')
      expect(yield* connecting(named)).toEqual(connected)
      const deaf = text.replace(/ {4}webhook.*\n/, "")
      expect(yield* connecting(deaf)).toEqual([["twilio", "NotYet"]])
    })
  )

  it.live("hears what is signed with the token of before, and not with a third, while the token is replaced", () =>
    Effect.gen(function* () {
      const hook = 'url: "https://sms.example.com/hook", previousAuthToken: { env: FABRIKAM_AUTH_TOKEN_BEFORE },'
      const rotating = text.replace("webhook: {", `webhook: { ${hook}`)
      expect(yield* connecting(rotating)).toContain("FABRIKAM_AUTH_TOKEN_BEFORE is not set")
      const [adapter] = yield* Effect.flatMap(parseConfig("stopline.yaml", rotating), connect).pipe(
        Effect.provide(withEnvironment({ ...secrets, FABRIKAM_AUTH_TOKEN_BEFORE: "the-token-before" }))
      )
      const signedWith = (token: string) => {
        const signature = createHmac("sha1", token).update("https://sms.example.com/hookBodySTOP").digest("base64")
        const headers = { "x-twilio-signature": signature }
        if (adapter?.events._tag !== "Can") return expect.unreachable("it hears nothing")
        return Effect.map(
          adapter.events.port.receive({ method: "POST", headers, query: {}, body: "Body=STOP", receivedAt: 0 }),
          ({ _tag }) => _tag
        )
      }
      // Believed, though it is no whole message.
      expect(yield* signedWith("the-token-before")).toBe("NotUnderstood")
      expect(yield* signedWith("made-up-token")).toBe("NotUnderstood")
      expect(yield* signedWith("a-third-token")).toBe("NotAuthentic")
    })
  )

  it.live("says what is wrong with it, and no secret", () =>
    Effect.gen(function* () {
      const open = `${text}http: { publicUrl: "https://sms.example.com" }\n`
      expect(yield* connecting(open, { FABRIKAM_API_KEY_SECRET: "made-up-secret" })).toContain("FABRIKAM_AUTH_TOKEN")
      expect(yield* connecting(open.replace("accountSid: AC", "accountSid: MG"))).toContain(
        "stopline.yaml:4: accounts[0].accountSid: Expected AC and 32 hexadecimal digits"
      )
      const elsewhere = open.replace("    vendor", '    accountsUrl: "http://accounts.example.com"\n    vendor')
      expect(yield* connecting(elsewhere)).toBe(
        "stopline.yaml:2: accounts[0]: accountsUrl must be https; http is for this machine only"
      )
    })
  )
})

describe.concurrent("with Twilio as the third provider", () => {
  for (const messagingService of [false, true]) {
    const way = messagingService ? "through a Messaging Service" : "number by number"
    it.live(`a STOP anywhere is held everywhere, ${way} (L2)`, () =>
      Effect.gen(function* () {
        const { world, worker } = yield* start(messagingService)
        const [ann = "", bob = "", cid = "", dee = ""] = world.sandbox.people
        yield* world.sandbox.text({ from: ann, to: acmeSender, text: "STOP" })
        yield* world.sandbox.text({ from: bob, to: twilioSender, text: "STOP" })
        yield* world.sandbox.text({ from: cid, to: shortCode, text: "STOP" })
        // A word that Twilio leaves alone: what is held there, we wrote.
        const said = yield* world.sandbox.text({ from: dee, to: otherSender, text: "please stop texting me" })
        expect(said.optedOut).toBe(false)
        for (const person of [ann, bob, cid, dee]) yield* heldEverywhere(world, person)
        // L14
        const told = JSON.stringify([worker.said, worker.logged])
        for (const person of [ann, bob, cid, dee]) expect(told).not.toContain(person.slice(1))
      })
    )
  }

  for (const messagingService of [false, true]) {
    const way = messagingService ? "of which Twilio tells" : "that we alone have read"
    it.live(`a START to one number, ${way}, lifts that number and no other (L3)`, () =>
      Effect.gen(function* () {
        // Their clocks are behind, so that the STOP is certainly older than the START.
        const { world } = yield* start(messagingService, { aheadMs: -120_000 })
        const [person = ""] = world.sandbox.people
        yield* world.sandbox.text({ from: person, to: shortCode, text: "STOP" })
        yield* heldEverywhere(world, person)
        const before = yield* lastRound(world)
        yield* world.sandbox.text({ from: person, to: twilioSender, text: "START" })
        yield* roundAfter(world, before)
        yield* eventually(
          "Twilio lets go",
          Effect.map(twilioHolds(world, twilioSender, person), (held) => !held)
        )
        expect(yield* twilioHolds(world, otherSender, person)).toBe(true)
        for (const sender of azureSenders) expect(yield* azureHolds(world, sender, person)).toBe(true)
        expect(yield* ringcentralHolds(world, person)).toBe(true)
      })
    )
  }

  it.live("a text that Twilio would not deliver is an opt-out for all of them", () =>
    Effect.gen(function* () {
      const { world } = yield* start(false)
      const [person = "", other = ""] = world.sandbox.people
      yield* world.sandbox.edit({ account: twilio, sender: twilioSender, action: "opt-out", recipients: [person] })
      expect((yield* world.sandbox.send({ account: twilio, from: twilioSender, to: person })).delivered).toBe(false)
      expect((yield* world.sandbox.send({ account: twilio, from: twilioSender, to: other })).delivered).toBe(true)
      yield* heldEverywhere(world, person)
      expect(yield* ringcentralHolds(world, other)).toBe(false)
    })
  )

  it.live("a forged STOP is answered 401, and nobody is silenced", () =>
    Effect.gen(function* () {
      const { world } = yield* start(false)
      const [person = ""] = world.sandbox.people
      const form = new URLSearchParams({ MessageSid: "SM1", From: person, To: twilioSender, Body: "STOP" })
      const { status } = yield* Effect.promise(() =>
        fetch(`${world.url}/webhooks/${twilio}`, {
          method: "POST",
          headers: { "x-twilio-signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAA=" },
          body: form
        })
      )
      expect(status).toBe(401)
      expect(yield* world.sql("select from observation")).toEqual([])
    })
  )
})
