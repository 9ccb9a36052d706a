/** Whatever a server, a network or a caller does: without a clear yes there is no yes. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { type Client, createStoplineClient, StoplineError } from "../src/index.ts"

type Reply = (response: ServerResponse, request: IncomingMessage) => void

const key = "stopline_0123abcd_a-secret-that-nobody-may-see"
const recipient = "+15550100001"
const from = { sender: "+18005550100" }

/** A server that says this, whatever it is asked. */
const serverThat = Effect.fnUntraced(function* (reply: Reply) {
  const server = yield* Effect.acquireRelease(
    Effect.callback<ReturnType<typeof createServer>>((resume) => {
      const server = createServer((request, response) => reply(response, request))
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) =>
      Effect.sync(() => {
        server.close()
        server.closeAllConnections()
      })
  )
  const address = server.address()
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : address}`
})

const connect = (url: string, timeoutMs = 10_000): Client => createStoplineClient({ url, key, timeoutMs })

/** The error, if there is one, and never anything else. */
const failure = (promise: Promise<unknown>) =>
  Effect.promise(() =>
    promise.then(
      (value) => expect.fail(`it said ${JSON.stringify(value)}`),
      (error: unknown) => {
        expect(error).toBeInstanceOf(StoplineError)
        return error as StoplineError
      }
    )
  )

const says =
  (status: number, body: unknown, headers: Record<string, string> = {}): Reply =>
  (response) =>
    response.writeHead(status, headers).end(typeof body === "string" ? body : JSON.stringify(body))

const answer = (...results: ReadonlyArray<unknown>) => ({ checkedAt: "2026-01-01T00:00:00Z", senders: [], results })

describe("the client (L16)", () => {
  it.live("says yes when the server did, and no when it did (L16)", () =>
    Effect.gen(function* () {
      for (const mayText of [true, false]) {
        const client = connect(yield* serverThat(says(200, answer({ recipient, mayText }))))
        expect(yield* Effect.promise(() => client.mayText({ ...from, recipient }))).toBe(mayText)
      }
    })
  )

  it.live("believes no answer that is not about the people who were asked about (L16)", () =>
    Effect.gen(function* () {
      const yes = { recipient, mayText: true }
      const lies = [
        "",
        "yes",
        "<html>",
        null,
        true,
        {},
        { results: true },
        answer(),
        answer(yes, yes),
        answer(null),
        answer({ mayText: true }),
        answer({ recipient: "+15550100002", mayText: true }),
        answer({ recipient, mayText: "true" }),
        answer({ recipient, mayText: 1 })
      ]
      for (const lie of lies) {
        const client = connect(yield* serverThat(says(200, lie)))
        const { kind } = yield* failure(client.mayText({ ...from, recipient }))
        expect([lie, kind]).toEqual([lie, "unreadable"])
      }
    })
  )

  it.live("names every failure, and tells neither the key nor the number (L14, L16)", () =>
    Effect.gen(function* () {
      const problem = (status: number, headers?: Record<string, string>) =>
        says(status, { type: "about:blank", status, detail: "the cure" }, headers)
      const replies: ReadonlyArray<readonly [Reply, string, number?]> = [
        [problem(401), "unauthorised"],
        [problem(403), "forbidden"],
        [problem(404), "not-found"],
        [problem(409), "conflict"],
        [problem(413), "too-large"],
        [problem(422), "invalid"],
        [problem(429, { "retry-after": "2" }), "too-many", 2_000],
        [problem(503, { "retry-after": "1" }), "unavailable", 1_000],
        [says(502, "<html>bad gateway</html>"), "unavailable"],
        [says(500, answer({ recipient, mayText: true })), "unavailable"],
        [says(203, answer({ recipient, mayText: true })), "unreadable"],
        [says(204, ""), "unreadable"],
        // The key goes nowhere else.
        [says(302, "", { location: "http://127.0.0.1:1/" }), "unreachable"],
        [(response) => void response.socket?.destroy(), "unreachable"],
        [
          (response) => void response.writeHead(200, { "content-length": "50" }).write("{", () => response.destroy()),
          "unreachable"
        ]
      ]
      for (const [reply, kind, retryAfterMs] of replies) {
        const error = yield* failure(connect(yield* serverThat(reply)).mayText({ ...from, recipient }))
        expect([error.kind, error.retryAfterMs]).toEqual([kind, retryAfterMs])
        const told = `${error.message} ${error.stack} ${JSON.stringify(error)}`
        for (const secret of [key, recipient]) expect(told).not.toContain(secret)
      }
      const nobody = yield* failure(connect("http://127.0.0.1:1").mayText({ ...from, recipient }))
      expect(nobody.kind).toBe("unreachable")
    })
  )

  it.live("waits no longer than it is told, and can be stopped (L16)", () =>
    Effect.gen(function* () {
      const url = yield* serverThat(() => undefined)
      expect((yield* failure(connect(url, 20).mayText({ ...from, recipient }))).kind).toBe("timeout")
      const stop = new AbortController()
      const asked = failure(connect(url).check({ ...from, recipients: [recipient] }, { signal: stop.signal }))
      stop.abort()
      expect((yield* asked).kind).toBe("aborted")
    })
  )

  it.live("puts numbers into bodies, and the key into a header", () =>
    Effect.gen(function* () {
      const urls: Array<string | undefined> = []
      const url = yield* serverThat((response, request) => {
        urls.push(request.url)
        expect(request.headers.authorization).toBe(`Bearer ${key}`)
        response.writeHead(200).end("{}")
      })
      const client = connect(url)
      yield* Effect.promise(() => client.lookup(recipient))
      yield* Effect.promise(() => client.importOptOuts([{ recipient }], { country: "US" }))
      expect(urls).toEqual(["/v1/recipients/lookup", "/v1/imports?country=US"])
    })
  )
})
