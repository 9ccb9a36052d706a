/** Consents by bulk upsert: the request, and one outcome for each recipient. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import {
  agreeable,
  apiKey,
  apiKeySecret,
  type Behaviour,
  done,
  failureOf,
  type Item,
  messagingService,
  open,
  otherSender,
  people,
  sender,
  startPair,
  tollFree
} from "./script.ts"

const [ann, bob, cid, dee] = people(4) as [never, never, never, never]

/** Answers each item by its contact. */
const saying =
  (say: (item: Item) => ReadonlyArray<unknown>): Behaviour =>
  ({ items }) => ({ status: 201, body: { items: items.flatMap(say) } })

describe("a write", () => {
  it.live("is one request, of consents as Twilio documents them", () =>
    Effect.gen(function* () {
      const { optIn, optOut, seen } = yield* startPair()
      yield* optOut(sender, [ann, bob])
      yield* optIn(sender, [ann])
      expect(seen.map(({ method, url }) => `${method} ${url.pathname}${url.search}`)).toEqual([
        "POST /v1/Consents/Bulk",
        "POST /v1/Consents/Bulk"
      ])
      const [first, second] = seen
      expect(first?.headers["content-type"]).toContain("application/x-www-form-urlencoded")
      expect(first?.headers.authorization).toBe(`Basic ${btoa(`${apiKey}:${apiKeySecret}`)}`)
      const ids = first?.items.map(({ correlation_id }) => correlation_id) ?? []
      for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/)
      expect(new Set(ids).size).toBe(2)
      const consent = { sender_id: sender, status: "opt-out", source: "others" }
      expect(first?.items).toEqual([
        { ...consent, contact_id: ann, correlation_id: ids[0] },
        { ...consent, contact_id: bob, correlation_id: ids[1] }
      ])
      expect(second?.items.map(({ contact_id, status }) => [contact_id, status])).toEqual([[ann, "opt-in"]])
    })
  )

  it.live("takes no more than 25 consents, of which a Messaging Service needs two for each recipient", () =>
    Effect.gen(function* () {
      const plain = yield* startPair()
      expect(open(plain.adapter.write.optOut).maxRecipients).toBe(25)
      const { adapter, optOut, seen } = yield* startPair(agreeable, { messagingService })
      const { maxRecipients } = open(adapter.write.optOut)
      expect(maxRecipients).toBe(12)
      const crowd = people(maxRecipients)
      expect((yield* optOut(sender, crowd)).map(({ _tag, recipient }) => [_tag, recipient])).toEqual(
        crowd.map((person) => ["Held", person])
      )
      expect(seen).toHaveLength(1)
      expect(seen[0]?.items).toHaveLength(24)
      expect(seen[0]?.items.slice(0, 2).map(({ contact_id, sender_id }) => [contact_id, sender_id])).toEqual([
        [crowd[0], sender],
        [crowd[0], messagingService]
      ])
    })
  )

  it.live("has one outcome for each recipient, matched by id and in the order asked (L9)", () =>
    Effect.gen(function* () {
      const answers = ({ contact_id: contact, ...item }: Item): ReadonlyArray<unknown> => {
        const answer = (code: number, ...messages: Array<string>) =>
          done({ contact_id: contact, ...item }, code, messages)
        if (contact === ann) return [answer(30_646, "INVALID_CONTACT_ID")]
        if (contact === bob) return [answer(30_646, "INTERNAL_SERVER_ERROR")]
        if (contact === cid) return []
        return [answer(0)]
      }
      const { optOut } = yield* startPair((request) => ({
        status: 201,
        body: { items: [{ strange: true }, ...request.items.flatMap(answers).toReversed()] }
      }))
      const outcomes = yield* optOut(sender, [ann, bob, cid, dee])
      expect(outcomes).toMatchObject([
        { _tag: "Rejected", recipient: ann },
        { _tag: "Retryable", recipient: bob, mayHaveApplied: true },
        { _tag: "Retryable", recipient: cid, mayHaveApplied: true },
        { _tag: "Held", recipient: dee }
      ])
      for (const outcome of outcomes) expect("detail" in outcome ? outcome.detail : "").not.toContain("206555")
    })
  )

  it.live("that is answered twice, or with a code that is none, is not held", () =>
    Effect.gen(function* () {
      const twice = yield* startPair(saying((item) => [done(item), done(item, 30_646, ["INTERNAL_SERVER_ERROR"])]))
      expect(yield* twice.optOut(sender, [ann])).toMatchObject([{ _tag: "Retryable", mayHaveApplied: true }])
      const odd = yield* startPair(saying((item) => [{ ...done(item), error_code: "none" }]))
      expect(yield* odd.optOut(sender, [ann])).toMatchObject([{ _tag: "Retryable", mayHaveApplied: true }])
      const mute = yield* startPair(saying((item) => [{ ...done(item, 30_646), error_messages: null }]))
      expect(yield* mute.optOut(sender, [ann])).toMatchObject([{ _tag: "Retryable", mayHaveApplied: true }])
    })
  )

  it.live("through a Messaging Service may have been done where only the number or the service took it (L5, L7)", () =>
    Effect.gen(function* () {
      const half = (refused: string, why: string) =>
        saying((item) => [item.sender_id === refused ? done(item, 30_646, [why]) : done(item)])
      for (const refused of [sender, messagingService]) {
        for (const why of ["INTERNAL_SERVER_ERROR", "INVALID_SENDER_ID", "INVALID_CONTACT_ID"]) {
          const { optIn, optOut } = yield* startPair(half(refused, why), { messagingService })
          const doubt = { _tag: "Retryable", recipient: ann, mayHaveApplied: true }
          expect(yield* optOut(sender, [ann])).toMatchObject([doubt])
          expect(yield* optIn(sender, [ann])).toMatchObject([doubt])
        }
      }
    })
  )

  it.live("at one of several numbers of a Messaging Service blocks nobody at the others (L7)", () =>
    Effect.gen(function* () {
      const { optOut, seen } = yield* startPair(agreeable, { messagingService, senders: [sender, otherSender] })
      expect(yield* optOut(sender, [ann])).toMatchObject([{ _tag: "Held" }])
      expect(seen.flatMap(({ items }) => items.map(({ sender_id }) => sender_id))).toEqual([sender])
    })
  )

  it.live("of a sender that is none of the account's is refused, and nobody is rejected for it", () =>
    Effect.gen(function* () {
      const { optOut } = yield* startPair(saying((item) => [done(item, 30_646, ["INVALID_SENDER_ID"])]))
      const error = yield* failureOf(optOut(sender, [ann, bob]))
      expect(error.reason).toMatchObject({ _tag: "Refused", code: "INVALID_SENDER_ID" })
    })
  )
})

describe("a probe", () => {
  it.live("asks about a number that is none, so that nothing changes", () =>
    Effect.gen(function* () {
      const { adapter, seen } = yield* startPair(saying((item) => [done(item, 30_646, ["INVALID_CONTACT_ID"])]))
      yield* adapter.probe(sender)
      expect(seen.flatMap(({ items }) => items.map(({ contact_id }) => contact_id))).toEqual(["+19"])
    })
  )

  it.live("tells a sender that Twilio does not know", () =>
    Effect.gen(function* () {
      const { adapter } = yield* startPair(
        saying((item) => [done(item, 30_646, ["INVALID_CONTACT_ID", "INVALID_SENDER_ID"])])
      )
      expect((yield* failureOf(adapter.probe(sender))).reason).toMatchObject({ _tag: "Refused" })
    })
  )
})

describe("an opt-in", () => {
  it.live("is never promised for a toll-free sender, nor where it would reach other senders of a service", () =>
    Effect.gen(function* () {
      const exceptOf = Effect.fn(function* (senders: ReadonlyArray<typeof sender>, service?: string) {
        const { adapter } = yield* startPair(agreeable, {
          senders,
          ...(service !== undefined && { messagingService: service })
        })
        expect(senders.map(open(adapter.write.optOut).except)).toEqual(senders.map(() => undefined))
        return senders.map((each) => open(adapter.write.optIn).except(each) === undefined)
      })
      expect(yield* exceptOf([sender, otherSender, tollFree])).toEqual([true, true, false])
      expect(yield* exceptOf([sender], messagingService)).toEqual([true])
      expect(yield* exceptOf([sender, otherSender], messagingService)).toEqual([false, false])
    })
  )
})
