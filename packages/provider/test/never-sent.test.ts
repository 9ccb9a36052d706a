import { once } from "node:events"
import { createServer } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { neverSent } from "@stopline/provider"
import { Effect } from "effect"
import { FetchHttpClient, HttpClient } from "effect/http"

const coded = (code: string) => Object.assign(new Error("it broke"), { code })

/** An address of this machine where nobody listens any more. */
const abandoned = async (): Promise<string> => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  server.close()
  await once(server, "close")
  return `http://127.0.0.1:${typeof address === "object" ? address?.port : address}`
}

describe("a broken request", () => {
  it("was never sent where no connection was made, however deep that stands", () => {
    for (const code of ["ECONNREFUSED", "ENOTFOUND", "UND_ERR_CONNECT_TIMEOUT"]) {
      assert.isTrue(neverSent(coded(code)))
      assert.isTrue(neverSent(new TypeError("fetch failed", { cause: coded(code) })))
      assert.isTrue(neverSent({ reason: { cause: { cause: coded(code) } } }))
    }
  })

  it("may have been sent in every other case", () => {
    for (const error of [coded("ECONNRESET"), coded("ETIMEDOUT"), new Error("closed"), undefined, "ECONNREFUSED", 7]) {
      assert.isFalse(neverSent(error))
      assert.isFalse(neverSent({ cause: error }))
    }
  })

  it.live("is recognised as the HTTP clients tell it", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(HttpClient.get(yield* Effect.promise(abandoned)))
      assert.isTrue(neverSent(error))
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )
})
