/** The worker's port: what is answered, and what is in the database when it is. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { azurePath, textToAzure } from "./texted.ts"
import { startWorker } from "./worker.ts"
import {
  acmeSender,
  azure,
  azureHolds,
  azureSenders,
  eventually,
  keepTable,
  listenToAzure,
  makeWorld,
  ringcentral,
  ringcentralHolds,
  secrets,
  tenDlc,
  type World
} from "./world.ts"

const ringcentralPath = `/webhooks/${ringcentral}`
const proof = { "verification-token": secrets.ACME_WEBHOOK_TOKEN }

const call = (world: World, path: string, init: RequestInit = {}) =>
  Effect.promise(async () => {
    const response = await fetch(world.url + path, init)
    return { status: response.status, headers: response.headers, body: await response.text() }
  })

const post = (world: World, path: string, body: unknown, headers: Record<string, string> = {}) =>
  call(world, path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body)
  })

const at = "2026-05-04T10:11:12.345Z"

const changeAtRingCentral = (person: string, uuid: string) => ({
  uuid,
  event: "/restapi/v1.0/account/400000001/a2p-sms/opt-outs",
  timestamp: at,
  body: { from: acmeSender, to: person, active: true }
})

const stored = ({ sql }: World, person: string) =>
  sql<{ state: string; basis: string }>("select state::text, basis::text from observation where recipient = $1", [
    person.slice(1)
  ])

describe.concurrent("a webhook", () => {
  it.live("whose sender hangs up before it is stored is stored nevertheless: it may not be sent again (L1)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* startWorker(world)
      const [person = ""] = world.sandbox.people
      const ledger = yield* keepTable(world, "observation")
      const tired = new AbortController()
      const body = JSON.stringify(changeAtRingCentral(person, "hung-up"))
      const headers = { "content-type": "application/json", ...proof }
      const given = fetch(world.url + ringcentralPath, { method: "POST", headers, body, signal: tired.signal })
      yield* eventually(
        "it waits to be stored",
        Effect.map(
          world.sql("select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"),
          (waiting) => waiting.length > 0
        )
      )
      tired.abort()
      yield* Effect.promise(() => given.catch(() => undefined))
      // By the time that the worker has answered this it knows that nobody waits for the other answer.
      yield* call(world, "/healthz")
      yield* Effect.promise(() => ledger.query("rollback"))
      yield* eventually(
        "it is stored",
        Effect.map(stored(world, person), (rows) => rows.length === 1)
      )
    })
  )

  it.live("of an account that nobody configured is not found", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* startWorker(world)
      for (const name of ["fabrikam", "CONTOSO", "*", "%2e%2e", "contoso%00"]) {
        expect([name, (yield* post(world, `/webhooks/${name}`, [])).status]).toEqual([name, 404])
      }
      expect((yield* call(world, "/webhooks")).status).toBe(404)
      expect((yield* call(world, "/")).status).toBe(404)
    })
  )

  it.live("of an account without a secret is turned away for now, so that nothing is lost when one is set", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ deaf: true })
      yield* startWorker(world)
      const [person = ""] = world.sandbox.people
      expect((yield* post(world, azurePath, textToAzure({ person, id: "1" }))).status).toBe(503)
      expect((yield* post(world, ringcentralPath, changeAtRingCentral(person, "1"), proof)).status).toBe(503)
      expect(yield* stored(world, person)).toEqual([])
    })
  )

  it.live("without the secret, or with another one, is refused and changes nothing", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const worker = yield* startWorker(world)
      const [person = ""] = world.sandbox.people
      const forged = [
        yield* post(world, `/webhooks/${azure}`, textToAzure({ person, id: "1" })),
        yield* post(world, `/webhooks/${azure}?code=guess`, textToAzure({ person, id: "1" })),
        yield* post(world, `/webhooks/${azure}?code=${secrets.ACME_WEBHOOK_TOKEN}`, textToAzure({ person, id: "1" })),
        yield* post(world, ringcentralPath, changeAtRingCentral(person, "1")),
        yield* post(world, ringcentralPath, changeAtRingCentral(person, "1"), { "verification-token": "guess" })
      ]
      expect(forged.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401])
      expect(yield* stored(world, person)).toEqual([])
      expect(worker.logged.join("\n")).toContain("NotAuthentic")
      expect(worker.logged.join("\n")).not.toContain("guess")
    })
  )

  it.live("shakes hands with both vendors", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      // RingCentral's happens when the worker subscribes by itself.
      yield* startWorker(world)
      const { subscriptions } = yield* world.sandbox.state(ringcentral)
      expect(subscriptions).toMatchObject([{ url: world.url + ringcentralPath, status: "Active" }])
      yield* listenToAzure(world, { schema: "EventGrid" })
      yield* listenToAzure(world, { schema: "CloudEvents" })
      expect((yield* world.sandbox.state(azure)).subscriptions).toHaveLength(2)
      const silent = yield* Effect.flip(
        world.sandbox.subscribe({ account: azure, url: `${world.url}/webhooks/${azure}?code=guess` })
      )
      expect(silent.message).toContain("401")
    })
  )

  it.live("is in the database when it is answered 2xx (L1), once however often it comes (L11)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* startWorker(world)
      for (const [index, person] of world.sandbox.people.slice(0, 20).entries()) {
        const first = yield* post(world, azurePath, textToAzure({ person, id: `text-${index}` }))
        expect(first.status).toBe(200)
        expect(yield* stored(world, person)).toEqual([{ state: "opted-out", basis: "message" }])
        expect((yield* post(world, azurePath, textToAzure({ person, id: `text-${index}` }))).status).toBe(200)
        expect(yield* stored(world, person)).toHaveLength(1)
      }
      const [person = ""] = world.sandbox.people.slice(20)
      expect((yield* post(world, ringcentralPath, changeAtRingCentral(person, "1"), proof)).status).toBe(200)
      expect(yield* stored(world, person)).toEqual([{ state: "opted-out", basis: "event" }])
    })
  )

  it.live("with a body over two mebibytes is refused, and its secret is not logged (L14)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const worker = yield* startWorker(world)
      const [person = ""] = world.sandbox.people
      const padded = (bytes: number) => [{ ...textToAzure({ person, id: "1" })[0], padding: "x".repeat(bytes) }]
      expect((yield* post(world, azurePath, padded(3 * 1024 * 1024))).status).toBe(413)
      expect(worker.logged.join("\n")).toContain("too large")
      expect(worker.logged.join("\n")).not.toContain(secrets.CONTOSO_WEBHOOK_SECRET)
      expect(yield* stored(world, person)).toEqual([])
      // One mebibyte is the most that Event Grid sends.
      expect((yield* post(world, azurePath, padded(1024 * 1024))).status).toBe(200)
      expect(yield* stored(world, person)).toHaveLength(1)
    })
  )

  it.live("that makes no sense is refused, and costs nobody else", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* startWorker(world)
      const [person = ""] = world.sandbox.people
      expect((yield* post(world, azurePath, "<html>")).status).toBe(400)
      expect((yield* post(world, ringcentralPath, "<html>", proof)).status).toBe(400)
      expect((yield* call(world, azurePath)).status).toBe(405)
      const half = [{ nonsense: true }, ...textToAzure({ person, id: "1" })]
      expect((yield* post(world, azurePath, half)).status).toBe(200)
      expect(yield* stored(world, person)).toHaveLength(1)
    })
  )
})

describe.concurrent("while the ledger is down", () => {
  it.live("a webhook is answered 503 and never 2xx, and what is sent again is carried (L1)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const worker = yield* startWorker(world)
      yield* listenToAzure(world)
      const [person = "", other = ""] = world.sandbox.people
      const turnedAway = () => worker.logged.filter((line) => line.includes("could not be stored")).length
      yield* world.cut
      for (let attempt = 0; attempt < 3; attempt++) {
        expect((yield* post(world, azurePath, textToAzure({ person: other, id: "1" }))).status).toBe(503)
        expect((yield* post(world, ringcentralPath, changeAtRingCentral(other, "1"), proof)).status).toBe(503)
      }
      // Nothing has to be stored for these.
      expect((yield* post(world, azurePath, textToAzure({ person: other, id: "2", message: "hello" }))).status).toBe(
        200
      )
      const down = yield* call(world, "/healthz")
      expect([down.status, JSON.parse(down.body)]).toMatchObject([503, { status: "down" }])
      expect(down.body).not.toContain(new URL(world.databaseUrl).password || "no password")

      const before = turnedAway()
      yield* world.sandbox.text({ from: person, to: tenDlc, text: "STOP" })
      yield* eventually(
        "Event Grid was turned away",
        Effect.sync(() => turnedAway() > before)
      )
      yield* world.mend
      for (const sender of azureSenders) yield* eventually(`${sender} holds it`, azureHolds(world, sender, person))
      yield* eventually("RingCentral holds it", ringcentralHolds(world, person))
      expect(yield* stored(world, other)).toEqual([])
      expect((yield* call(world, "/healthz")).status).toBe(200)
    })
  )
})

describe.concurrent("when the ledger goes down in the middle of it", () => {
  it.live("every webhook that was answered 2xx is stored, and the worker lives on (L1)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* startWorker(world)
      const tell = (person: string) =>
        Effect.map(post(world, azurePath, textToAzure({ person, id: person })), (it) => it.status)
      let answered = 0
      const statuses = yield* Effect.forEach(
        world.sandbox.people,
        (person) =>
          Effect.tap(tell(person), () => {
            answered += 1
            return answered === 10 ? world.cut : Effect.void
          }),
        { concurrency: "unbounded" }
      )
      // How many of them were stored together before it went down is a matter of luck; afterwards nobody is.
      const afterwards = yield* tell(world.sandbox.people[0] ?? "")
      expect(afterwards).toBe(503)
      expect(new Set([...statuses, afterwards])).toEqual(new Set([200, 503]))
      for (const [index, person] of world.sandbox.people.entries()) {
        if (statuses[index] === 200) expect(yield* stored(world, person)).toHaveLength(1)
      }
      yield* world.mend
      for (const person of world.sandbox.people) {
        yield* eventually(
          "it is taken",
          Effect.map(tell(person), (status) => status === 200)
        )
        expect(yield* stored(world, person)).toHaveLength(1)
      }
    })
  )
})

describe.concurrent("/healthz", () => {
  it.live("says ok, and when the last round was", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* startWorker(world)
      const health = Effect.map(call(world, "/healthz"), ({ body, status }) => ({ status, body: JSON.parse(body) }))
      yield* eventually(
        "a round is over",
        Effect.map(health, ({ body }) => body.lastRound.completedAt !== undefined)
      )
      const { body, status } = yield* health
      expect([status, body.status, body.halts]).toEqual([200, "ok", []])
    })
  )

  it.live("names what is halted, and people's own words go on (L8)", () =>
    Effect.gen(function* () {
      const rest = "schedule: { every: 1 hour }\npolicy: { guard: { optOuts: { count: 2, share: 0 } } }"
      const world = yield* makeWorld({ optedOut: 5, rest })
      const worker = yield* startWorker(world)
      yield* eventually(
        "the round is over",
        Effect.sync(() => worker.said.some(({ event }) => event === "round"))
      )
      const { body, status } = yield* call(world, "/healthz")
      const health = JSON.parse(body)
      expect([status, health.status]).toEqual([200, "halted"])
      expect(health.halts).toEqual([
        expect.stringMatching(/^contoso: 15 opt-outs.*stopline apply --approve [0-9a-f]{12}/)
      ])
      expect((yield* world.sandbox.state(azure)).senders.flatMap(({ optedOut }) => optedOut)).toEqual([])

      const listed = new Set((yield* world.sandbox.state(ringcentral)).senders.flatMap(({ optedOut }) => optedOut))
      const person = world.sandbox.people.find((one) => !listed.has(one)) ?? ""
      yield* world.sandbox.text({ from: person, to: acmeSender, text: "STOP" })
      for (const sender of azureSenders) yield* eventually(`${sender} holds it`, azureHolds(world, sender, person))
      const held = (yield* world.sandbox.state(azure)).senders.map(({ optedOut }) => optedOut)
      expect(held).toEqual([[person], [person], [person]])
    })
  )
})
