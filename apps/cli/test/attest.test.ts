/** What a named person says of somebody, from the keyboard to the providers. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { mask } from "@stopline/consent"
import {
  acmeSender,
  azure,
  azureHolds,
  makeWorld,
  ringcentral,
  ringcentralHolds,
  shortCode,
  tenDlc,
  tollFree,
  type World
} from "../../worker/test/world.ts"
import { parseWhen } from "@stopline/worker"
import { type Ended, json, run } from "./cli.ts"

const attest = (
  world: World,
  recipient: string,
  { by = "Jane Doe", how = "phone call", sender = tenDlc, to = "opted-out" } = {},
  ...more: ReadonlyArray<string>
) => run(world, "attest", "--sender", sender, "--recipient", recipient, "--to", to, "--by", by, "--how", how, ...more)

const personOf = ({ sandbox }: World, index = 0): string => sandbox.people[index] ?? ""

/** Neither here nor there, with its plus or without. */
const tellsNobody = (ended: Ended, ...people: ReadonlyArray<string>) => {
  for (const person of people) expect(ended.out + ended.err).not.toContain(person.slice(1))
}

const must = (ended: Ended) =>
  Object.fromEntries(json(ended).stands.map((one: { sender: string; must: string }) => [one.sender, one.must]))

describe("a moment as a person writes it", () => {
  it("says no more than its digits, and is not guessed (L4)", () => {
    const span = (text: string) => {
      const time = parseWhen(text)
      return time && [time.notBefore, time.notAfter].map((at) => new Date(at).toISOString())
    }
    expect(span("2026-01-05T10:00:30.125Z")).toEqual(["2026-01-05T10:00:30.125Z", "2026-01-05T10:00:30.125Z"])
    expect(span("2026-01-05T10:00:30Z")).toEqual(["2026-01-05T10:00:30.000Z", "2026-01-05T10:00:30.999Z"])
    expect(span(" 2026-01-05 10:00+0130")).toEqual(["2026-01-05T08:30:00.000Z", "2026-01-05T08:30:59.999Z"])
    expect(span("2026-01-05")).toEqual(["2026-01-04T10:00:00.000Z", "2026-01-06T11:59:59.999Z"])
    for (const text of [
      "",
      "yesterday",
      "2026-01-05T10:00",
      "2026-02-30",
      "2026-02-30T10:00Z",
      "05/01/2026",
      "1767607200"
    ]) {
      expect([text, span(text)]).toEqual([text, undefined])
    }
  })
})

describe.concurrent("stopline attest", () => {
  it.live("stores an opt-out, says what now stands, and apply carries it everywhere (L2, L13, L14)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const person = personOf(world)
      const told = yield* attest(world, person, {}, "--at", "2026-01-05T10:00Z", "--note", "was angry")
      expect([told.code, told.err]).toEqual([0, ""])
      const [{ id } = { id: 0 }] = yield* world.sql<{ id: number }>("select id::int from observation")
      const stands = `opted out since 2026-01-05 10:00:59Z (observation ${id}): must not be texted`
      expect(told.out.trimEnd().split("\n")).toEqual([
        `Stored: ${mask(person)} opted-out at ${azure}/${tenDlc}, attested by Jane Doe (phone call).`,
        "What now stands in the group all:",
        ...[`${azure}/${tenDlc}`, `${ringcentral}/${acmeSender}`, `${azure}/${tollFree}`, `${azure}/${shortCode}`].map(
          (sender) => `  ${sender}: ${stands}`
        ),
        "`stopline apply` carries what differs now; the worker does with its next round."
      ])
      tellsNobody(told, person)
      expect(yield* world.sql("select state, origin, basis, evidence from observation")).toEqual([
        {
          state: "opted-out",
          origin: "operator",
          basis: "attested",
          evidence: { attestedBy: "Jane Doe", note: "phone call: was angry" }
        }
      ])
      expect((yield* run(world, "apply")).code).toBe(0)
      expect(yield* ringcentralHolds(world, person)).toBe(true)
      expect(yield* azureHolds(world, tollFree, person)).toBe(true)
    })
  )

  it.live("the same twice is one row, and says so (L11)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const person = personOf(world)
      const at = ["--at", "2026-01-05T10:00Z", "--json"]
      const first = yield* attest(world, person, {}, ...at)
      const again = yield* attest(world, person, {}, ...at)
      expect([json(first).repeated, json(again).repeated]).toEqual([false, true])
      expect(json(again).stands).toEqual(json(first).stands)
      expect(yield* world.sql("select count(*)::int as rows from observation")).toEqual([{ rows: 1 }])
      expect((yield* attest(world, person, {}, ...at.slice(0, 2))).out).toMatch(/^Stored before: /)
      tellsNobody(again, person)
    })
  )

  it.live("an opt-in lifts its own pair, not before the opt-out, and promises nothing a carrier holds (L3, L4)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const person = personOf(world)
      yield* attest(world, person, {}, "--at", "2026-01-05T10:00:30Z")
      const early = yield* attest(world, person, { to: "opted-in" }, "--at", "2026-01-05T10:00Z")
      expect([early.code, early.out]).toEqual([0, expect.stringContaining("It lifts nothing: an opt-out stands")])
      const pair = yield* attest(world, person, { to: "opted-in" }, "--json", "--at", "2026-01-05T10:01Z")
      const out = { [tollFree]: "opted-out", [shortCode]: "opted-out", [acmeSender]: "opted-out" }
      expect(must(pair)).toEqual({ ...out, [tenDlc]: "opted-in" })
      expect(json(pair).but).toEqual([])
      const free = yield* attest(world, person, { to: "opted-in", sender: tollFree }, "--group")
      expect(free.out).toContain("Under the policy strict an opt-in counts only for the sender it was said to")
      expect(free.out).toContain(`${azure}/${tollFree}: the carrier holds the opt-out of a toll-free sender`)
      expect(free.out).toMatch(/20500: opted out since 2026-01-05 10:00:30Z/)
      expect(json(yield* run(world, "plan", "--json")).changes).toBe(2)
    })
  )

  it.live("an opt-in for the group counts for all of it under the policy group (L3)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ rest: "policy: { optIn: group }" })
      const person = personOf(world)
      yield* attest(world, person, {}, "--at", "2026-01-05")
      const lifted = yield* attest(world, person, { to: "opted-in" }, "--group", "--json")
      expect(Object.values(must(lifted))).toEqual(Array(4).fill("opted-in"))
    })
  )

  it.live("a mistake is told with its cure, and shows no number that was mistyped (L14)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const person = personOf(world)
      const table: ReadonlyArray<readonly [Effect.Effect<Ended>, string]> = [
        [attest(world, "5550123"), "--recipient is no phone number; write it as +15551230000"],
        [
          attest(world, person, { sender: "ACME" }),
          "--sender is none; write it as +18005550100, or a short code as 20500"
        ],
        [
          attest(world, person, {}, "--account", ringcentral),
          `${mask(tenDlc)} is no sender of ${ringcentral}; \`stopline doctor\` lists the senders`
        ],
        [
          attest(world, person, {}, "--at", "yesterday"),
          "--at is no time; write it with its zone, as 2026-01-05T10:00Z, or 2026-01-05"
        ],
        [
          attest(world, person, {}, "--at", "2999-01-05T10:00Z"),
          "the time lies in the future; give the time at which the person said it, or none for just now"
        ]
      ]
      for (const [command, said] of table) {
        const ended = yield* command
        expect([ended.code, ended.out, ended.err]).toEqual([1, "", `stopline: ${said}\n`])
        tellsNobody(ended, person, "+5550123")
      }
      const unsaid = yield* run(world, "attest", "--sender", tenDlc, "--recipient", person, "--to", "opted-out")
      expect([unsaid.code, unsaid.err]).toEqual([1, expect.stringContaining("--by")])
      expect(yield* world.sql("select count(*)::int as rows from observation")).toEqual([{ rows: 0 }])
      const help = yield* run(world, "attest", "--help")
      expect([help.code, help.out]).toEqual([0, expect.stringContaining("stopline attest --sender")])
    })
  )
})
