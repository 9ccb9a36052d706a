import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { createHmac } from "node:crypto"
import { type AccountOptions, type AnyAccount, makeWorld, type Outcome, type World } from "../src/index.ts"
import { bodyOf, responseOf, statusOf } from "./support.ts"

const number = "+14255550100"
const other = "+14255550101"
const tollFree = "+18005550100"
const ann = "+15550100000"
const ben = "+15550100001"

type Options = Partial<Extract<AccountOptions, { vendor: "twilio" }>>
type Twilio = Extract<AnyAccount, { vendor: "twilio" }>

const start = Effect.fn(function* (options: Options = {}) {
  const world = yield* makeWorld({
    accounts: [{ vendor: "twilio", name: "fabrikam", senders: [number, other, tollFree], ...options }]
  })
  const [account] = world.accounts
  if (account?.vendor !== "twilio") throw new Error("no Twilio account")
  return { world, account }
})

const call = (account: Twilio, method: string, target: string, body = "", password?: string): Outcome => {
  const { apiKey, apiKeySecret } = account.credentials
  const [path = "", query = ""] = target.split("?")
  const authorization = `Basic ${btoa(`${apiKey}:${password ?? apiKeySecret}`)}`
  return account.handle({ method, path, query, headers: { authorization }, body })
}

const consent = (contact: string, more: object = {}) => ({
  contact_id: contact,
  correlation_id: "a".repeat(32),
  sender_id: number,
  status: "opt-out",
  source: "others",
  ...more
})

const upsert = (account: Twilio, items: ReadonlyArray<object>, password?: string): Outcome => {
  const form = new URLSearchParams(items.map((item): [string, string] => ["Items", JSON.stringify(item)]))
  return call(account, "POST", "/v1/Consents/Bulk", form.toString(), password)
}

/** What is sent to the webhook, before anything can happen to it. */
const listen = Effect.fn(function* (world: World, publicUrl?: string) {
  const sent: Array<{ readonly signature: string; readonly form: Record<string, string> }> = []
  world.onDelivery((delivery) => {
    const { body, headers } = delivery.request(0)
    const form = Object.fromEntries(new URLSearchParams(body))
    sent.push({ signature: headers["x-twilio-signature"] ?? "", form })
  })
  const url = "http://hook.example/twilio"
  yield* world.listen({ account: "fabrikam", url, ...(publicUrl !== undefined && { publicUrl }) })
  return sent
})

describe("Twilio: consents", () => {
  it.effect("are answered one by one, whatever is wrong with the others", () =>
    Effect.gen(function* () {
      const { account, world } = yield* start()
      const answers = upsert(account, [
        consent(ann),
        consent("+19", { correlation_id: "b".repeat(32), status: "maybe", source: "hearsay" }),
        consent(ben, { correlation_id: "c".repeat(32), sender_id: "+14255550999" }),
        consent(ben, { correlation_id: "short", date_of_consent: "yesterday" })
      ])
      assert.strictEqual(statusOf(answers), 201)
      assert.deepStrictEqual(bodyOf(answers).items.toReversed(), [
        { correlation_id: "a".repeat(32), error_code: 0, error_messages: [] },
        {
          correlation_id: "b".repeat(32),
          error_code: 30_646,
          error_messages: ["INVALID_CONTACT_ID", "INVALID_STATUS", "INVALID_SOURCE"]
        },
        { correlation_id: "c".repeat(32), error_code: 30_646, error_messages: ["INVALID_SENDER_ID"] },
        {
          correlation_id: "short",
          error_code: 30_646,
          error_messages: ["INVALID_CORRELATION_ID", "INVALID_DATE_OF_CONSENT"]
        }
      ])
      const { senders } = yield* world.state("fabrikam", number)
      assert.deepStrictEqual(senders[0]?.optedOut, [ann])
    })
  )

  it.effect("are refused as a whole without a key, without items, and beyond 25", () =>
    Effect.gen(function* () {
      const { account, world } = yield* start()
      const strange = upsert(account, [consent(ann)], "guessed")
      assert.strictEqual(statusOf(strange), 401)
      assert.strictEqual(bodyOf(strange).code, 20_003)
      assert.strictEqual(statusOf(upsert(account, [])), 400)
      assert.strictEqual(
        statusOf(
          upsert(
            account,
            Array.from({ length: 26 }, () => consent(ann))
          )
        ),
        400
      )
      assert.strictEqual(statusOf(call(account, "POST", "/v1/Consents/Bulk", "Items=nonsense")), 400)
      assert.strictEqual(statusOf(call(account, "GET", "/v1/Consents/Bulk")), 404)
      assert.deepStrictEqual((yield* world.state("fabrikam", number)).senders[0]?.optedOut, [])
    })
  )

  it.effect("are a hundred a minute where limits are on", () =>
    Effect.gen(function* () {
      const { account } = yield* start({ limits: true })
      for (let n = 0; n < 100; n++) assert.strictEqual(statusOf(upsert(account, [consent(ann)])), 201)
      assert.strictEqual(bodyOf(upsert(account, [consent(ann)])).code, 20_429)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(statusOf(upsert(account, [consent(ann)])), 201)
    })
  )

  it.effect("do not lift what the carrier of a toll-free number holds", () =>
    Effect.gen(function* () {
      const { account, world } = yield* start()
      const said = yield* world.text({ from: ann, to: tollFree, text: "STOP" })
      assert.deepStrictEqual([said.optedOut, said.keyword], [true, "STOP"])
      assert.strictEqual(statusOf(upsert(account, [consent(ann, { sender_id: tollFree, status: "opt-in" })])), 201)
      assert.isTrue(account.isOptedOut(tollFree, ann))
      assert.isFalse((yield* world.text({ from: ann, to: tollFree, text: "UNSTOP" })).optedOut)
    })
  )
})

describe("Twilio: a Messaging Service", () => {
  it.effect("is stopped by a text to any of its numbers, and moved by a consent only where it is named", () =>
    Effect.gen(function* () {
      const { account, world } = yield* start({ messagingService: true })
      const service = account.credentials.messagingService ?? ""
      yield* world.text({ from: ann, to: number, text: "quit" })
      assert.deepStrictEqual(
        [number, other].map((sender) => account.isOptedOut(sender, ann)),
        [true, true]
      )
      upsert(account, [consent(ann, { status: "opt-in" })])
      assert.isTrue(account.isOptedOut(number, ann))
      upsert(account, [consent(ann, { sender_id: service, status: "opt-in" })])
      assert.deepStrictEqual(
        [number, other].map((sender) => account.isOptedOut(sender, ann)),
        [false, false]
      )
    })
  )

  it.effect("is not there by default: each number stands alone", () =>
    Effect.gen(function* () {
      const { account, world } = yield* start()
      yield* world.text({ from: ann, to: number, text: "STOPALL" })
      assert.deepStrictEqual(
        [number, other].map((sender) => account.isOptedOut(sender, ann)),
        [true, false]
      )
      yield* world.text({ from: ann, to: number, text: "please STOP" })
      assert.isFalse((yield* world.text({ from: ann, to: number, text: "yes" })).optedOut)
    })
  )
})

describe("Twilio: webhooks", () => {
  it.effect("are signed over the public URL and every parameter, by name", () =>
    Effect.gen(function* () {
      const { account, world } = yield* start({ advancedOptOut: true })
      const publicUrl = "https://sms.example.com/hook?x=1"
      const sent = yield* listen(world, publicUrl)
      for (const text of ["Stop", "help", "hello & goodbye"]) yield* world.text({ from: ann, to: number, text })
      assert.deepStrictEqual(
        sent.map(({ form }) => [form["From"], form["To"], form["Body"], form["OptOutType"]]),
        [
          [ann, number, "Stop", "STOP"],
          [ann, number, "help", "HELP"],
          [ann, number, "hello & goodbye", undefined]
        ]
      )
      for (const { form, signature } of sent) {
        const parameters = Object.entries(form)
          .toSorted(([a], [b]) => (a < b ? -1 : 1))
          .flat()
        const text = [publicUrl, ...parameters].join("")
        const expected = createHmac("sha1", account.credentials.authToken).update(text).digest("base64")
        assert.strictEqual(signature, expected)
      }
    })
  )

  it.effect("report a text that was blocked, and one that was not", () =>
    Effect.gen(function* () {
      const { account, world } = yield* start()
      const sent = yield* listen(world)
      upsert(account, [consent(ann)])
      assert.isFalse((yield* world.send({ account: "fabrikam", from: number, to: ann })).delivered)
      assert.isTrue((yield* world.send({ account: "fabrikam", from: number, to: ben })).delivered)
      assert.deepStrictEqual(
        sent.map(({ form }) => [form["From"], form["To"], form["MessageStatus"], form["ErrorCode"]]),
        [
          [number, ann, "failed", "21610"],
          [number, ben, "delivered", undefined]
        ]
      )
    })
  )

  it.effect("come once more when nobody answers, and not again after any answer", () =>
    Effect.gen(function* () {
      const { world } = yield* start()
      yield* listen(world)
      const settled: Array<number | undefined> = []
      world.onDelivery(({ settle }) => {
        const answered = { _tag: "Answered", status: 503, headers: {}, body: "" } as const
        const unreachable = { _tag: "Unreachable", reason: "ECONNREFUSED" } as const
        settled.push(settle(answered, 0), settle(unreachable, 0), settle(unreachable, 1))
      })
      yield* world.text({ from: ann, to: number, text: "STOP" })
      assert.deepStrictEqual(settled, [undefined, 0, undefined])
    })
  )

  it.effect("can be lost and doubled, and are entered at Twilio's accounts alone", () =>
    Effect.gen(function* () {
      const { world } = yield* start()
      const sent = yield* listen(world)
      yield* world.fault({ account: "fabrikam", kind: "lost-events", times: 1 })
      yield* world.fault({ account: "fabrikam", kind: "duplicate-events", times: 1 })
      for (const text of ["STOP", "START"]) yield* world.text({ from: ann, to: number, text })
      assert.deepStrictEqual(
        sent.map(({ form }) => form["Body"]),
        ["START", "START"]
      )
      assert.strictEqual(sent[0]?.form["MessageSid"], sent[1]?.form["MessageSid"])
      const elsewhere = yield* makeWorld()
      const refused = yield* Effect.flip(elsewhere.listen({ account: "acme", url: "http://hook.example" }))
      assert.include(refused.problem, "no Twilio account")
      const impossible = yield* Effect.flip(world.fault({ account: "fabrikam", kind: "repeat-token" }))
      assert.include(impossible.problem, "cannot happen")
    })
  )
})

describe("Twilio: the list of messages", () => {
  it.effect("is filtered by number and day, newest first, page by page", () =>
    Effect.gen(function* () {
      const { account, world } = yield* start()
      const path = `/2010-04-01/Accounts/${account.credentials.accountSid}/Messages.json`
      yield* world.text({ from: ann, to: number, text: "long ago" })
      yield* TestClock.adjust("2 days")
      for (const text of ["one", "two", "three"]) yield* world.text({ from: ann, to: number, text })
      yield* world.text({ from: ben, to: number, text: "somebody else" })
      yield* world.send({ account: "fabrikam", from: number, to: ann })
      const filters = new URLSearchParams({ From: ann, To: number, "DateSent>": "1970-01-02", PageSize: "2" })
      const first = bodyOf(call(account, "GET", `${path}?${filters.toString()}`))
      assert.deepStrictEqual(
        first.messages.map((row: { body: string }) => row.body),
        ["three", "two"]
      )
      assert.strictEqual(first.messages[0].date_created, "Sat, 03 Jan 1970 00:00:00 +0000")
      const second = bodyOf(call(account, "GET", first.next_page_uri))
      assert.deepStrictEqual(
        second.messages.map((row: { body: string }) => row.body),
        ["one"]
      )
      assert.isNull(second.next_page_uri)
      assert.strictEqual(responseOf(call(account, "GET", `${path}?PageSize=many`)).status, 400)
      assert.strictEqual(statusOf(call(account, "GET", "/2010-04-01/Accounts/AC0/Messages.json")), 404)
    })
  )
})
