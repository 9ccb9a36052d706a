/** Looking, deciding and writing: plan, apply, sync, drift, history, doctor, resume. */
import { readFile } from "node:fs/promises"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { mask } from "@stopline/consent"
import {
  acmeSender,
  azure,
  azureSenders,
  eventually,
  listenToAzure,
  makeWorld,
  ringcentral,
  shortCode,
  tenDlc,
  type World
} from "../../worker/test/world.ts"
import { twilio, twilioAccount, twilioSenders } from "../../worker/test/twilio.ts"
import { json, put, run, said, start } from "./cli.ts"

const heldAt = ({ sandbox }: World, account: string) =>
  Effect.map(sandbox.state(account), ({ senders }) => senders.map(({ optedOut }) => optedOut.toSorted()))

const writesAt = ({ sandbox }: World, account: string) =>
  Effect.map(sandbox.log(account), (log) =>
    log.filter(({ operation }) => ["add", "remove", "bulk-assign"].includes(operation))
  )

/** Everybody on RingCentral's list. */
const listed = (world: World) => Effect.map(heldAt(world, ringcentral), ([first = []]) => first)

describe.concurrent("plan and apply", () => {
  it.live("name what differs, carry it out a hundred at a time, and then nothing differs (L8, L10)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ people: 400, optedOut: 250 })
      expect((yield* run(world, "backfill", "--account", ringcentral)).code).toBe(0)

      const seen = yield* run(world, "plan")
      expect(seen.code).toBe(2)
      for (const sender of azureSenders) expect(seen.out).toContain(`${azure}/${sender}: 250 pairs to be opted-out`)
      const planned = json(yield* run(world, "plan", "--json", "--examples", "3"))
      expect(planned).toMatchObject({ changes: 750, withheld: 0, accounts: [{ account: azure, changes: 750 }, {}] })
      expect(planned.examples).toHaveLength(3)
      expect(seen.out).toContain(`Plan ${planned.digest}: 750 changes`)

      const stale = yield* run(world, "apply", "--approve", "0123456789ab")
      expect([stale.code, stale.out]).toEqual([1, ""])
      expect(stale.err).toContain(`the plan is now ${planned.digest}, not 0123456789ab`)
      expect(yield* writesAt(world, azure)).toEqual([])

      const applied = yield* run(world, "apply", "--approve", planned.digest)
      expect(applied.code).toBe(0)
      expect(applied.out).toContain(`${azure}: wrote 750 opt-outs and 0 opt-ins`)
      const writes = yield* writesAt(world, azure)
      expect(writes.map(({ operation, sender, count }) => `${operation} ${sender} ${count}`).toSorted()).toEqual(
        azureSenders.flatMap((sender) => [100, 100, 50].map((count) => `add ${sender} ${count}`)).toSorted()
      )
      const people = yield* listed(world)
      expect(yield* heldAt(world, azure)).toEqual([people, people, people])
      expect(yield* writesAt(world, ringcentral)).toEqual([])

      const after = yield* run(world, "plan")
      expect([after.code, after.out]).toEqual([0, "Nothing differs: every provider holds what it must.\n"])
      const synced = yield* run(world, "sync", "--json")
      expect([synced.code, json(synced)]).toMatchObject([0, { outcome: "completed", plan: { changes: 0 } }])
      expect(yield* writesAt(world, azure)).toHaveLength(9)
      // L14
      for (const { out, err } of [seen, applied, synced]) expect(out + err).not.toMatch(/\+?1555\d{7}/)
    })
  )
})

describe.concurrent("a guard", () => {
  it.live("halts what reading found in bulk, until a person approves exactly that (L8)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ people: 1300, optedOut: 1200 })
      const halted = yield* run(world, "sync")
      expect(halted.code).toBe(2)
      const [, digest = ""] = /stopline apply --approve ([0-9a-f]{12})/.exec(halted.out) ?? []
      expect(halted.out).toContain(`${azure}: 3600 opt-outs found by reading, over the limit of 1000`)
      expect(digest).not.toBe("")
      expect(yield* heldAt(world, azure)).toEqual([[], [], []])

      const doctor = yield* run(world, "doctor", "--json")
      expect([doctor.code, json(doctor).halts]).toEqual([2, [expect.stringContaining(`--approve ${digest}`)]])
      const open = json(yield* run(world, "resume", "--json")).open
      expect(open).toMatchObject([{ account: azure, kind: "too-many-opt-outs", digest }])

      // Cleared without a decision, it is there again after the next look.
      const cleared = yield* run(world, "resume", String(open[0].id), "--by", "Ada Lovelace")
      expect([cleared.code, cleared.out]).toEqual([0, "Cleared 1 halt; the next round looks again.\n"])
      expect(yield* world.sql("select cleared_by from halt")).toEqual([{ cleared_by: "Ada Lovelace" }])
      expect((yield* run(world, "apply")).code).toBe(2)
      expect(yield* heldAt(world, azure)).toEqual([[], [], []])

      const approved = yield* run(world, "apply", "--approve", digest)
      expect(approved.code).toBe(0)
      const people = yield* listed(world)
      expect(yield* heldAt(world, azure)).toEqual([people, people, people])
      expect((yield* run(world, "resume")).out).toBe("Nothing is halted.\n")
      expect((yield* run(world, "plan")).code).toBe(0)
    })
  )
})

describe.concurrent("drift", () => {
  it.live("finds what colleagues edited at either provider, and is gone after apply", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ people: 40, optedOut: 20 })
      expect((yield* run(world, "sync")).code).toBe(0)
      expect((yield* run(world, "drift")).code).toBe(0)

      const [first = "", second = ""] = yield* listed(world)
      const lift = { action: "opt-in" } as const
      yield* world.sandbox.edit({ ...lift, account: azure, sender: tenDlc, recipients: [first] })
      yield* world.sandbox.edit({ ...lift, account: ringcentral, sender: acmeSender, recipients: [second] })
      const fresh = world.sandbox.people.find((person) => person !== first && person !== second) ?? ""
      yield* world.sandbox.edit({ account: azure, sender: shortCode, action: "opt-out", recipients: [fresh] })

      const writes = (yield* writesAt(world, azure)).length
      const found = yield* run(world, "drift")
      expect(found.code).toBe(2)
      expect(found.out).toContain(
        `${azure}/${tenDlc} ${mask(first)} should be opted-out: the provider lifted the block`
      )
      expect(found.out).toContain(
        `${ringcentral}/${acmeSender} ${mask(second)} should be opted-out: the provider lifted`
      )
      expect(found.out).not.toContain(first.slice(1))
      expect(found.out).not.toContain(" more;")
      const pairs = found.out.split(" should be ").length - 1
      const one = yield* run(world, "plan", "--examples", "1")
      expect(one.out).toContain(`  … and ${pairs - 1} more; --examples ${pairs} names them all\n`)
      expect(yield* writesAt(world, azure)).toHaveLength(writes)
      expect(yield* writesAt(world, ringcentral)).toEqual([])

      expect((yield* run(world, "apply")).code).toBe(0)
      expect((yield* run(world, "drift")).code).toBe(0)
      expect((yield* listed(world)).includes(second)).toBe(true)
      expect((yield* heldAt(world, azure))[1]).toContain(first)
    })
  )
})

describe.concurrent("history", () => {
  it.live("tells all that is known about one person", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ people: 10, optedOut: 1 })
      expect((yield* run(world, "sync")).code).toBe(0)
      const [person = ""] = yield* listed(world)
      const told = yield* run(world, "history", person)
      expect(told.code).toBe(0)
      expect(told.out).toMatch(new RegExp(RegExp.escape(`, at ${ringcentral}/${acmeSender} (listed, origin api)`)))
      for (const sender of azureSenders) {
        expect(told.out).toContain(`${azure}/${sender} [all]: must not be texted (because of 1); held there: opted-out`)
      }
      expect(told.out).not.toContain("in doubt")
      // As a process leaves it that dies while it writes.
      const intend =
        "update view set intent = 'opted-in', written_begun_at = now() from sender s where s.id = sender_id and s.address = $1"
      yield* world.sql(intend, [tenDlc])
      expect((yield* run(world, "history", person)).out).toMatch(
        new RegExp(
          String.raw`/${RegExp.escape(tenDlc)} \[all\]: .*; held there: opted-out as of \S+ \S+Z, in doubt since\n`
        )
      )
      const stranger = json(yield* run(world, "history", "+1 (555) 099-9999", "--json"))
      expect(stranger).toMatchObject({ recipient: "+15550999999", observations: [] })
      expect(stranger.standings.map(({ must, held }: { must: string; held: string | null }) => [must, held])).toEqual(
        Array.from({ length: 4 }, () => ["opted-in", null])
      )
    })
  )
})

describe.concurrent("doctor", () => {
  it.live("says what answers, what can be done, and what cannot be seen", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const well = yield* run(world, "doctor")
      expect([well.code, well.err]).toEqual([0, ""])
      for (const sender of [...azureSenders, acmeSender]) {
        expect(well.out).toMatch(new RegExp(`  ${RegExp.escape(sender)}( .toll-free.)?: answers; 0 people known`))
      }
      expect(well.out).toContain(`stopline backfill --account ${azure} --recipients contacts.csv`)
      expect(well.out).toContain("(toll-free)")
    })
  )

  it.live("names an import as the remedy where nothing can be listed and nobody asked about", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ third: twilioAccount(false) })
      const well = yield* run(world, "doctor")
      expect([well.code, well.err]).toEqual([0, ""])
      for (const sender of twilioSenders) expect(well.out).toContain(`${sender}: answers`)
      expect(well.out).toContain("Remedy: stopline import")
      expect(well.out).not.toContain(`backfill --account ${twilio}`)
      const read = yield* run(world, "backfill", "--account", twilio, "--recipients", "stopline.yaml")
      expect(read.out).toContain(`${twilio}: can neither be listed nor asked`)
      expect(read.out).toContain("`stopline import`")
      expect(read.out).not.toContain("--recipients")
    })
  )

  it.live("names a number that was heard of and that no account lists, until it is listed", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const whole = yield* Effect.promise(() => readFile(world.file, "utf8"))
      yield* put(world, "stopline.yaml", whole.replace(`"${tenDlc}",`, ""))
      const nothing = json(yield* run(world, "doctor", "--json"))
      expect(nothing.accounts.map(({ unlisted }: { unlisted: unknown }) => unlisted)).toEqual([[], []])
      const worker = yield* start(world, "up")
      yield* said(worker, "Stopline is ready")
      yield* listenToAzure(world)
      const [ann = "", bob = ""] = world.sandbox.people
      for (const text of ["STOP", "STOP", "HELLO"]) yield* world.sandbox.text({ from: ann, to: tenDlc, text })
      yield* world.sandbox.text({ from: bob, to: tenDlc, text: "STOP" })
      yield* eventually(
        "all is kept",
        Effect.map(world.sql("select from observation"), (rows) => rows.length === 3)
      )
      const told = yield* run(world, "doctor")
      expect(told.code).toBe(0)
      expect(told.out).toContain(
        `  heard of ${tenDlc}, which no account lists: 2 people opted out there, and nobody else is told; add it to the senders of ${azure}, or of another account`
      )
      const { accounts } = json(yield* run(world, "doctor", "--json"))
      expect(accounts[0].unlisted).toEqual([{ sender: tenDlc, optedOut: 2, more: false }])
      yield* put(world, "stopline.yaml", whole)
      expect((yield* run(world, "doctor")).out).not.toContain("heard of")
    })
  )

  it.live("says that the clock is wrong", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ aheadMs: 20 * 60_000 })
      const ill = yield* run(world, "doctor")
      expect(ill.code).toBe(1)
      expect(ill.out).toContain("the clock of this machine is 20 minutes behind Azure's")
    })
  )
})
