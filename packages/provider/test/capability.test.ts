import { assert, describe, it } from "@effect/vitest"
import type { AccountName } from "@stopline/consent"
import { can, cannot, notYet, type ProviderAdapter, type WritePort, writePort } from "@stopline/provider"
import { Duration, Effect } from "effect"

const port: WritePort = {
  maxRecipients: 10,
  concurrency: 1,
  except: () => undefined,
  write: () => Effect.succeed([])
}

const none = cannot("it is made up")

const adapter = (write: ProviderAdapter["write"]): ProviderAdapter => ({
  account: "contoso" as AccountName,
  vendor: "made-up",
  probe: () => Effect.void,
  list: none,
  check: none,
  write,
  events: none,
  subscription: none,
  stream: none,
  evidence: none,
  limits: [],
  keywords: { optOut: [], optIn: [] },
  settle: Duration.zero
})

describe("a capability", () => {
  it("is the port that does it", () => assert.deepStrictEqual(can(port), { _tag: "Can", port }))

  it("or the reason why not, and where that is written", () => {
    assert.deepStrictEqual(cannot("no such operation", "https://example.com/api"), {
      _tag: "Cannot",
      reason: "no such operation",
      see: "https://example.com/api"
    })
    assert.deepStrictEqual(cannot("no such operation"), { _tag: "Cannot", reason: "no such operation" })
  })

  it("or what is missing here", () =>
    assert.deepStrictEqual(notYet("set a secret"), { _tag: "NotYet", reason: "set a secret" }))
})

describe("the write that makes a state so", () => {
  it("is optOut for opted-out and optIn for opted-in", () => {
    const optOut = can({ ...port, maxRecipients: 100 })
    const optIn = can({ ...port, maxRecipients: 1 })
    assert.strictEqual(writePort(adapter({ optOut, optIn }), "opted-out"), optOut)
    assert.strictEqual(writePort(adapter({ optOut, optIn }), "opted-in"), optIn)
  })

  it("is a reason where the provider cannot", () => {
    const optIn = cannot("only the person can")
    assert.strictEqual(writePort(adapter({ optOut: can(port), optIn }), "opted-in"), optIn)
  })
})
