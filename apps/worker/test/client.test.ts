/** Everything an application can do, through the client that it would do it with. */
import { describe, expect, it } from "@effect/vitest"
import { type Client, createStoplineClient, StoplineError } from "@stopline/client"
import { Effect } from "effect"
import { keyFor } from "./api.ts"
import { startWorker } from "./worker.ts"
import { acmeSender, azure, azureHolds, makeWorld, ringcentral, tenDlc, tollFree, type World } from "./world.ts"

const connect = Effect.fnUntraced(function* (world: World) {
  const client = createStoplineClient({ url: `${world.url}/`, key: yield* keyFor(world, "crm", "operate") })
  return {
    ask: <A>(run: (client: Client) => Promise<A>) => Effect.promise(() => run(client)),
    /** What it throws. */
    fails: (run: (client: Client) => Promise<unknown>) =>
      Effect.promise(() =>
        run(client).then(
          () => undefined,
          (error: unknown) => (error instanceof StoplineError ? error : undefined)
        )
      )
  }
})

const attestation = {
  sender: tollFree,
  state: "opted-out",
  at: "2026-01-05T10:00Z",
  by: "Jane Doe",
  how: "phone call"
} as const

describe.concurrent("an application", () => {
  it.live("attests what a person said, in a person's name and its own, once however often it asks", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* startWorker(world)
      const { ask, fails } = yield* connect(world)
      const [person = ""] = world.sandbox.people
      expect(yield* ask((client) => client.mayText({ group: "all", recipient: person }))).toBe(true)
      const said = { ...attestation, recipient: person }
      const first = yield* ask((client) => client.attest(said))
      expect(first).toMatchObject({ account: azure, group: "all", repeated: false })
      expect(first.stands.map(({ must }) => must)).toEqual(Array.from({ length: 4 }, () => "opted-out"))
      expect((yield* ask((client) => client.attest(said))).repeated).toBe(true)
      expect(yield* ask((client) => client.mayText({ group: "all", recipient: person }))).toBe(false)
      const known = yield* ask((client) => client.lookup(person))
      expect(known.observations).toMatchObject([
        { state: "opted-out", basis: "attested", evidence: { attestedBy: "Jane Doe (key crm)", note: "phone call" } }
      ])
      expect(known.standings.map(({ must }) => must)).toEqual(Array.from({ length: 4 }, () => "opted-out"))
      const later = { ...said, state: "opted-in", at: "2026-02-05T10:00Z" } as const
      yield* ask((client) => client.attest(later))
      expect(yield* ask((client) => client.mayText({ sender: tollFree, recipient: person }))).toBe(true)
      expect(yield* ask((client) => client.mayText({ sender: tenDlc, recipient: person }))).toBe(false)
      const wrong = [
        { at: "yesterday" },
        { at: "2999-01-01" },
        { by: " " },
        { sender: "+18005550109" },
        { recipient: "5550100001" }
      ]
      for (const one of wrong) {
        const error = yield* fails((client) => client.attest({ ...said, ...one }))
        expect([one, error?.kind, error?.message.includes(person.slice(1))]).toEqual([one, "invalid", false])
      }
    })
  )

  it.live("imports rows or a CSV; what cannot be believed is named, and the rest is stored", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* startWorker(world)
      const { ask, fails } = yield* connect(world)
      const [one = "", two = "", three = ""] = world.sandbox.people
      const rows = [
        { recipient: one, opted_out_at: "2026-01-05" },
        { recipient: two, state: "opted-in" },
        { recipient: "nobody" },
        { recipient: three, sender: tenDlc, opted_out_at: "2026-01-05T10:00Z" }
      ]
      const imported = yield* ask((client) => client.importOptOuts(rows))
      expect(imported).toMatchObject({ rows: 2, news: 2, refused: [{ line: 2 }, { line: 3 }] })
      expect(JSON.stringify(imported)).not.toContain(two)
      expect((yield* ask((client) => client.importOptOuts(rows))).news).toBe(0)
      const csv = `recipient,opted_out_at,colour\r\n${two},2026-01-05,red\r\nnobody,,\r\n${one},tomorrow,\r\n`
      const listed = yield* ask((client) => client.importOptOuts(csv, { sender: tollFree, country: "US" }))
      expect(listed).toMatchObject({ rows: 1, news: 1, refused: [{ line: 3 }, { line: 4 }], unused: ["colour"] })
      for (const recipient of [one, two, three]) {
        expect(yield* ask((client) => client.mayText({ sender: acmeSender, recipient }))).toBe(false)
      }
      const wrong = [{ sender: "+18005550109" }, { account: "fabrikam" }, { at: "tomorrow" }, { country: "Narnia" }]
      for (const place of wrong) {
        const error = yield* fails((client) => client.importOptOuts([], place))
        expect([place, error?.kind]).toEqual([place, "invalid"])
      }
    })
  )

  it.live("approves exactly the plan that it saw, and clears a halt by its number", () =>
    Effect.gen(function* () {
      const rest = "schedule: { every: 1 hour }\npolicy: { guard: { optOuts: { count: 2, share: 0 } } }"
      const world = yield* makeWorld({ rest })
      yield* startWorker(world)
      const { ask, fails } = yield* connect(world)
      const people = world.sandbox.people.slice(0, 6)
      const at = "2026-01-05"
      yield* ask((client) =>
        client.importOptOuts(
          people.slice(0, 5).map((recipient) => ({ recipient })),
          { at }
        )
      )
      const seen = yield* ask((client) => client.plan())
      expect(seen.changes).toBe(20)
      expect(seen.accounts.flatMap(({ halts }) => halts.map(({ kind }) => kind))).toContain("too-many-opt-outs")
      for (const { recipient } of seen.examples) expect(recipient).toContain("•••")
      yield* ask((client) =>
        client.importOptOuts(
          people.slice(5).map((recipient) => ({ recipient })),
          { at }
        )
      )
      const changed = yield* fails((client) => client.approve({ digest: seen.digest, by: "Ada Lovelace" }))
      expect([changed?.kind, changed?.status]).toEqual(["conflict", 409])
      expect(yield* azureHolds(world, tenDlc, people[0] ?? "")).toBe(false)
      const { digest } = yield* ask((client) => client.plan())
      expect(changed?.message).toContain(digest)
      const approved = yield* ask((client) => client.approve({ digest, by: "Ada Lovelace" }))
      expect(approved).toMatchObject({ digest, outcome: "completed" })
      expect(approved.applied.reduce((sum, one) => sum + one.optedOut, 0)).toBe(24)
      expect(yield* azureHolds(world, tenDlc, people[0] ?? "")).toBe(true)
      expect((yield* fails((client) => client.approve({ digest, by: "Ada Lovelace" })))?.kind).toBe("conflict")

      yield* world.sql(
        "insert into halt (account_id, kind, message, numbers, raised_at) select id, 'listing-shrank', 'look', '{\"count\":3}', now() from account where name = $1",
        [ringcentral]
      )
      const [halt] = yield* ask((client) => client.halts())
      expect(halt).toMatchObject({ account: ringcentral, kind: "listing-shrank", numbers: { count: 3 } })
      expect(yield* ask((client) => client.clearHalt(halt?.id ?? 0, "Ada Lovelace"))).toEqual(halt)
      expect(yield* world.sql("select cleared_by from halt where id = $1", [halt?.id])).toEqual([
        { cleared_by: "Ada Lovelace (key crm)" }
      ])
      expect(yield* ask((client) => client.halts())).toEqual([])
      expect((yield* fails((client) => client.clearHalt(halt?.id ?? 0, "Ada Lovelace")))?.kind).toBe("not-found")
    })
  )
})
