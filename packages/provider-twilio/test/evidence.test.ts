/** What a person texted us since a moment, from the list of messages. */
import { describe, expect, it } from "@effect/vitest"
import { NextTurn } from "@stopline/provider"
import { Effect } from "effect"
import { accountSid, failureOf, people, sender, startPair } from "./script.ts"

const [ann, bob] = people(2) as [never, never]

const at = Date.UTC(2026, 10, 21, 12, 0, 0)

const row = (sid: string, body: string, more: object = {}) => ({
  sid,
  direction: "inbound",
  from: ann,
  to: sender,
  body,
  date_created: "Sat, 21 Nov 2026 12:00:00 +0000",
  ...more
})

const page = (messages: ReadonlyArray<unknown>, next: string | null = null) => ({
  status: 200,
  body: { messages, next_page_uri: next }
})

describe("evidence", () => {
  it.live("is what the person said, with Twilio's time and the key that its webhook has", () =>
    Effect.gen(function* () {
      const { evidence, seen } = yield* startPair(() =>
        page([row("SM1", "Start"), row("SM2", "see you at the bus stop"), row("SM3", "please stop texting me")])
      )
      const found = yield* evidence(sender, ann, at)
      expect(found).toMatchObject([
        { key: "message:SM1", state: "opted-in", origin: "recipient", basis: "message", reach: "group" },
        { key: "message:SM3", state: "opted-out", basis: "message", sender, recipient: ann }
      ])
      expect(found[0]?.time).toEqual({ notBefore: at, notAfter: at + 999 })
      const [{ url } = { url: new URL("http://localhost") }] = seen
      expect(url.pathname).toBe(`/2010-04-01/Accounts/${accountSid}/Messages.json`)
      expect(Object.fromEntries(url.searchParams)).toEqual({
        To: sender,
        From: ann,
        "DateSent>": "2026-11-21",
        PageSize: "1000"
      })
    })
  )

  it.live("leaves out what is older, what we sent, and what is between others", () =>
    Effect.gen(function* () {
      const { evidence } = yield* startPair(() =>
        page([
          row("SM1", "STOP", { date_created: "Sat, 21 Nov 2026 11:59:58 +0000" }),
          row("SM2", "STOP", { direction: "outbound-api" }),
          row("SM3", "STOP", { from: bob }),
          row("SM4", "STOP", { to: "+14255550109" }),
          row("SM5", "", { body: null })
        ])
      )
      expect(yield* evidence(sender, ann, at)).toEqual([])
    })
  )

  it.live("keeps a STOP that has no date: it was said by now (L1, L3)", () =>
    Effect.gen(function* () {
      for (const date_created of [null, undefined, "lately"]) {
        const { evidence } = yield* startPair(() => page([row("SM1", "START"), row("SM2", "STOP", { date_created })]))
        const [start, stop] = yield* evidence(sender, ann, at)
        expect([start?.state, stop?.state, stop?.time.notBefore]).toEqual([
          "opted-in",
          "opted-out",
          Number.NEGATIVE_INFINITY
        ])
      }
    })
  )

  it.live("is nothing where a message cannot be read: it may be the STOP after a START (L3, L5)", () =>
    Effect.gen(function* () {
      for (const unread of [{ sid: "SM2" }, "?", row("SM2", "STOP", { direction: null })]) {
        const { evidence } = yield* startPair(() => page([row("SM1", "START"), unread]))
        expect((yield* failureOf(evidence(sender, ann, at))).reason._tag).toBe("Unreadable")
      }
    })
  )

  it.live("is read to the last page, and of its address only the query is believed", () =>
    Effect.gen(function* () {
      const { evidence, seen } = yield* startPair(({ url }) =>
        url.searchParams.get("Page") === "1"
          ? page([row("SM2", "STOP")])
          : page([row("SM1", "START")], `https://elsewhere.example/x?Page=1&PageToken=PA1&From=%2B12065551000`)
      )
      expect((yield* evidence(sender, ann, at)).map(({ key }) => key)).toEqual(["message:SM1", "message:SM2"])
      expect(seen[1]?.url.pathname).toBe(seen[0]?.url.pathname)
      // The engine has waited for the first page's turn (L15).
      let turns = 0
      const turn = Effect.sync(() => void (turns += 1))
      yield* Effect.provideService(evidence(sender, ann, at), NextTurn, turn)
      expect(turns).toBe(1)
      expect(Object.fromEntries(seen[1]?.url.searchParams ?? [])).toEqual({ Page: "1", PageToken: "PA1", From: ann })
    })
  )

  it.live("that goes in a circle, or is no list, is nothing", () =>
    Effect.gen(function* () {
      for (const answer of [page([], "/again?Page=1"), { status: 200, body: { messages: [] } }]) {
        const { evidence } = yield* startPair(() => answer)
        expect((yield* failureOf(evidence(sender, ann, at))).reason._tag).toBe("Unreadable")
      }
    })
  )
})
