/**
 * What a person can get wrong: told in one sentence with its cure, exit 1,
 * nothing half-started, no stack trace and no secret.
 */
import { access } from "node:fs/promises"
import path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { acmeSender, makeWorld, shortCode, type World } from "../../worker/test/world.ts"
import { takenPort } from "../../worker/test/ports.ts"
import { type Ended, type Place, put, run, secretsOf } from "./cli.ts"

const commands = ["up", "doctor", "backfill", "import", "attest", "plan", "apply", "sync", "drift", "history", "resume"]

/** The one line on standard error, of a command that ended in 1 and printed nothing else. */
const oneLine = (ended: Ended, world: World): string => {
  const lines = ended.err.trimEnd().split("\n")
  expect([ended.code, ended.out, lines.length]).toEqual([1, "", 1])
  for (const secret of secretsOf(world)) expect(ended.err).not.toContain(secret)
  expect(ended.err).not.toMatch(/\n\s+at /)
  return lines[0] ?? ""
}

const changed = Effect.fnUntraced(function* (world: World, changes: Readonly<Record<string, string>>) {
  return { folder: world.folder, environment: { ...world.environment, ...changes } } satisfies Place
})

const askedNothing = Effect.fnUntraced(function* ({ sandbox }: World) {
  for (const { name } of sandbox.accounts) expect(yield* sandbox.log(name)).toEqual([])
})

describe.concurrent("a mistake", () => {
  it.live("every command says what it is for, and what it does not know", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const helps = yield* Effect.forEach(commands, (command) => run(world, command, "--help"), { concurrency: 2 })
      for (const [index, help] of helps.entries()) {
        expect([help.code, help.err]).toEqual([0, ""])
        expect(help.out).toContain(`stopline ${commands[index]}`)
        expect(help.out).toContain("--config")
        expect(help.out).toContain("--json")
      }
      const typo = yield* run(world, "plan", "--jsno")
      expect([typo.code, typo.err]).toEqual([1, expect.stringMatching(/^\s*ERROR\n.*--jsno[^]*--json\s*$/)])
      const unknown = yield* run(world, "sink")
      expect([unknown.code, unknown.err]).toEqual([1, expect.stringMatching(/^\s*ERROR\n.*sink[^]*sync\s*$/)])
      yield* askedNothing(world)
    })
  )

  it.live("no configuration", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const elsewhere = { folder: path.dirname(world.folder), environment: {} }
      // A worker does not play where it was meant to work.
      for (const command of ["plan", "up"]) {
        expect(oneLine(yield* run(elsewhere, command), world)).toBe(
          "stopline: stopline.yaml: there is no such file here; write one (README.md shows it), name another with --config, or start the demonstration with `npm start`"
        )
      }
      expect(oneLine(yield* run(world, "sync", "--config", "other.yaml"), world)).toBe(
        "stopline: other.yaml: there is no such file; name another with --config"
      )
    })
  )

  it.live(
    "a configuration that is wrong, or a variable that is not set: no Postgres of our own is started either",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* put(world, "wrong.yaml", "accounts: []\ncolour: red\n")
        const wrong = yield* run(world, "up", "--config", "wrong.yaml")
        expect([wrong.code, wrong.err]).toEqual([
          1,
          "stopline: wrong.yaml:2: colour: is no setting; there are: ledger, accounts, groups, people, policy, http, telemetry, schedule\n" +
            "wrong.yaml:1: accounts: Expected a value with a length of at least 1\n"
        ])
        const account =
          "  - { name: acme, vendor: ringcentral, clientId: { env: A }, clientSecret: { env: B }, jwt: { env: C }, senders: ['20500'] }"
        yield* put(world, "own.yaml", `accounts:\n${account}\n`)
        expect(oneLine(yield* run(world, "up", "--config", "own.yaml"), world)).toBe(
          "stopline: own.yaml:2: accounts[0]: the environment variable A is not set; set it, or name another one"
        )
        const started = yield* Effect.promise(() =>
          access(path.join(world.folder, ".stopline")).then(
            () => true,
            () => false
          )
        )
        expect(started).toBe(false)
      })
  )

  it.live("a database that is not there, or not ours", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const url = new URL(world.databaseUrl)
      url.username = "nobody-we-know"
      url.password = "wrong-and-secret"
      const table = [
        ["postgres://u:wrong-and-secret@127.0.0.1:1/x", "the database cannot be reached (connect ECONNREFUSED"],
        [url.href, "the database cannot be reached ("],
        [world.databaseUrl.replace(/\/[^/]*$/, "/nowhere"), "the database cannot be reached (database"],
        ["mysql://u:wrong-and-secret@h/x", "STOPLINE_LEDGER_URL holds no URL such as postgres://"]
      ] as const
      for (const [wrong, said] of table) {
        const ended = yield* run(yield* changed(world, { STOPLINE_LEDGER_URL: wrong }), "plan")
        const line = oneLine(ended, world)
        expect(line).toContain(`stopline: stopline.yaml:1: ledger.url: ${said}`)
        expect(line).toContain("postgres://user:password@host/database")
        expect(line).not.toContain("wrong-and-secret")
      }
      yield* askedNothing(world)
    })
  )

  it.live("credentials that a provider does not take", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const [, endpoint = ""] = /^(endpoint=[^;]*;)/.exec(world.environment["CONTOSO_CONNECTION_STRING"] ?? "") ?? []
      const key = "d3JvbmctYW5kLXNlY3JldA=="
      const place = yield* changed(world, {
        CONTOSO_CONNECTION_STRING: `${endpoint}accesskey=${key}`,
        ACME_CLIENT_SECRET: "wrong-and-secret"
      })
      const doctor = yield* run(place, "doctor")
      expect(doctor.code).toBe(1)
      expect(doctor.out).toContain("contoso: probe: Denied: Azure answered 401")
      expect(doctor.out).toContain("acme: probe: Denied: login: RingCentral answered 400")
      const sync = yield* run(place, "sync", "--json")
      expect([sync.code, JSON.parse(sync.out).outcome]).toEqual([1, "incomplete"])
      expect(sync.out).toContain("acme: list: Denied: login")
      for (const text of [doctor.out, doctor.err, sync.out, sync.err]) {
        expect(text).not.toContain("wrong-and-secret")
        expect(text).not.toContain(key)
        for (const secret of secretsOf(world)) expect(text).not.toContain(secret)
      }
    })
  )

  it.live("names and numbers that mean nothing", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const table = [
        [["history", "hello"], "h••• is no phone number; write it as +15551230000"],
        [["backfill", "--account", "fabrikam"], "there is no account fabrikam; the configuration has contoso, acme"],
        [
          ["backfill", "--account", "acme", "--sender", shortCode],
          `--sender ${shortCode}: no account chosen here has this sender`
        ],
        [["backfill", "--recipients", "none.csv"], "none.csv: there is no such file"],
        [["backfill", "--recipients", "."], ".: it cannot be read"],
        [["backfill", "--country", "Narnia"], "--country Narnia: expected two letters such as US"],
        [["resume", "--account", "acmee"], "there is no account acmee; the configuration has contoso, acme"],
        [["resume", "7"], "no open halt has the number 7; `stopline resume` lists them"],
        [
          ["apply", "--approve", "000000000000"],
          "the plan is now e3b0c44298fc, not 000000000000: something changed since you looked. See `stopline plan`"
        ]
      ] as const
      for (const [args, said] of table) {
        expect(oneLine(yield* run(world, ...args), world)).toBe(`stopline: ${said}`)
      }
      yield* askedNothing(world)
    })
  )

  it.live("a number of nobody knows what country, a time beyond the calendar, a port that there is not", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const attest = ["attest", "--sender", shortCode, "--to", "opted-out", "--by", "Jane Doe", "--how", "phone call"]
      const table = [
        // With a plus before it the first would be somebody's in Egypt.
        [["history", "2025550123"], "20•••23 is no phone number; write it as +15551230000"],
        [[...attest, "--recipient", "(202) 555-0123"], "--recipient is no phone number; write it as +15551230000"],
        [["backfill", "--sender", "+15551234567"], "--sender +1555•••4567: no account chosen here has this sender"],
        [
          ["keys", "add", "--name", "crm", "--expires", "999999999 days"],
          "--expires is no time to come; write it as '90 days' or '12 hours'"
        ],
        [["up", "--port", "70000"], "--port 70000: expected a number from 0 to 65535"],
        [["up", "--sandbox-port", "65534"], "--sandbox-port 65534: expected a number from 1 to 65533"]
      ] as const
      for (const [args, said] of table) {
        expect(oneLine(yield* run(world, ...args), world)).toBe(`stopline: ${said}`)
      }
      const stored = "select 1 as one from observation union all select 1 from api_key"
      expect(yield* world.sql(stored)).toEqual([])
    })
  )

  it.live("a port that is in use", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const port = yield* takenPort
      expect(oneLine(yield* run(world, "up", "--port", String(port)), world)).toBe(
        `stopline: port ${port} on 127.0.0.1 is in use; stop what listens there, or choose another with --port`
      )
      yield* askedNothing(world)
      // Nothing of it is left that would be in the way of the next one.
      const open = yield* world.sql(
        "select from pg_stat_activity where application_name = 'stopline' and datname = current_database()"
      )
      expect(open).toEqual([])
      const { senders } = yield* world.sandbox.state("acme", acmeSender)
      expect(senders[0]?.optedOut).toEqual([])
    })
  )
})
