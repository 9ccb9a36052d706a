/**
 * Nothing that comes to a webhook breaks the worker, and nobody is taken to have
 * opted out who was not said to. `MUTANTS=10000 npx vitest run
 * apps/worker/test/mutants.test.ts` sends more, and says what was answered;
 * SEED draws others.
 */
import { connect } from "node:net"
import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, Schema } from "effect"
import { makeMutant, type Mutant } from "./mutants.ts"
import { azurePath } from "./texted.ts"
import { startWorker } from "./worker.ts"
import { makeWorld, secrets, tenDlc, type World } from "./world.ts"

const Count = Schema.decodeUnknownSync(Schema.FiniteFromString)
const count = Count(process.env["MUTANTS"] ?? "1000")
const seed = Count(process.env["SEED"] ?? "1")

const send = ({ url }: World, { body, headers, method, path }: Mutant) =>
  Effect.promise(async () => {
    const response = await fetch(url + path, { method, headers, body })
    await response.arrayBuffer()
    return response.status
  })

/** Everybody of whom anything was said, by digits. */
const stored = ({ sql }: World) =>
  Effect.map(
    sql<{ recipient: string }>("select distinct recipient::text from observation"),
    (rows) => new Set(rows.map(({ recipient }) => recipient))
  )

/** Each sender speaks for itself: what is heard is carried nowhere, which is tested elsewhere. */
const rest = "schedule: { every: 1 hour }\ngroups: []"

describe("webhooks", () => {
  it.live(
    `stand ${count} requests gone wrong (L1, L5, L14)`,
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld({ rest })
        const worker = yield* startWorker(world)
        const began = yield* Clock.currentTimeMillis
        const must = new Set<string>()
        const may = new Set<string>()
        const answered = new Map<string, number>()
        const wrong: Array<string> = []
        yield* Effect.forEach(
          Array.from({ length: count }, (_, index) => index),
          Effect.fnUntraced(function* (index) {
            const mutant = makeMutant(seed, index)
            const status = yield* send(world, mutant)
            const row = `${status} ${mutant.what}`
            answered.set(row, (answered.get(row) ?? 0) + 1)
            if (!mutant.right.includes(status)) wrong.push(`request ${index}, ${row}`)
            if (mutant.says !== undefined && status === 200) must.add(mutant.says)
            for (const person of mutant.may) may.add(person)
          }),
          { concurrency: 16 }
        )
        const health = yield* Effect.promise(() => fetch(`${world.url}/healthz`))
        expect(health.status).toBe(200)
        const seconds = ((yield* Clock.currentTimeMillis) - began) / 1000
        if (process.env["MUTANTS"] !== undefined) {
          const rows = [...answered].toSorted(([a], [b]) => a.localeCompare(b, "en"))
          yield* Effect.sync(() =>
            process.stdout.write(`${rows.map(([row, times]) => `${times} × ${row}`).join("\n")}\n${seconds} s\n`)
          )
        }
        expect(wrong).toEqual([])
        const told = yield* stored(world)
        expect([...must].filter((person) => !told.has(person))).toEqual([])
        expect([...told].filter((person) => !may.has(person))).toEqual([])
        // Enough of them said something that this is no empty promise.
        expect(must.size).toBeGreaterThan(count / 10)
        // Everybody in these requests has a number that begins like this.
        expect(worker.logged.join("\n")).not.toMatch(/1206[29]\d{6}/)
        for (const secret of Object.values(secrets)) expect(worker.logged.join("\n")).not.toContain(secret)
      }),
    20 * 60_000
  )

  it.live("stand requests that break off, and ones that are no requests", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ rest })
      const worker = yield* startWorker(world)
      const body = JSON.stringify([
        {
          eventType: "Microsoft.Communication.SMSReceived",
          data: { messageId: "1", from: "+12062000001", to: tenDlc, message: "STOP" }
        }
      ])
      const head = (length: number) =>
        `POST ${azurePath} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`
      const broken = [
        head(body.length + 1) + body,
        head(body.length) + body.slice(0, -1),
        `${head(0).replace("content-length: 0", "transfer-encoding: chunked")}ffff\r\n${body}`,
        `${head(0).replace("content-length: 0", "transfer-encoding: chunked")}zz\r\n${body}`,
        head(-1) + body,
        `POST ${azurePath}`,
        "\u0000\u0001\u0002",
        `POST ${azurePath} HTTP/1.1\r\n${"x: y\r\n".repeat(50_000)}\r\n${body}`
      ]
      for (const text of broken) yield* say(world.port, text)
      const health = yield* Effect.promise(() => fetch(`${world.url}/healthz`))
      expect(health.status).toBe(200)
      expect([...(yield* stored(world))]).toEqual([])
      expect(worker.logged.join("\n")).not.toContain("12062000001")
      // The whole of it is heard.
      const whole = yield* Effect.promise(() => fetch(world.url + azurePath, { method: "POST", body }))
      expect(whole.status).toBe(200)
      expect([...(yield* stored(world))]).toEqual(["12062000001"])
    })
  )
})

/** Sends some bytes and hangs up; waits until the other side has done so, too. */
const say = (port: number, text: string): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const socket = connect(port, "127.0.0.1", () => socket.end(text))
    socket.on("error", () => undefined)
    socket.on("close", () => resume(Effect.void))
    socket.resume()
  })
