import { assert, describe, it } from "@effect/vitest"
import { startSandbox } from "@stopline/sandbox"
import { Effect, Redacted, Result } from "effect"
import { exportConsents, readConsentExport } from "../src/index.ts"
import { otherSender, person, sender } from "./ports.ts"
import { configFor, startRingCentral } from "./server.ts"

const time = "2026-02-03T10:00:00.473705035Z"
const at = { notBefore: Date.UTC(2026, 1, 3, 10, 0, 0, 473), notAfter: Date.UTC(2026, 1, 3, 10, 0, 0, 474) }

const readLines = (...lines: ReadonlyArray<string>) =>
  Effect.fromResult(readConsentExport(lines.join("\r\n"), [sender, otherSender]))

describe("an export", () => {
  it.effect("is read by the names of its columns, in any order, whatever else there is", () =>
    Effect.gen(function* () {
      const readings = [
        { sender, recipient: person(1), state: "opted-out" as const, origin: "recipient" as const, at },
        { sender: "*" as const, recipient: person(2), state: "opted-in" as const, origin: "api" as const, at }
      ]
      const described = yield* readLines(
        "External Party Number,Internal Party Number,Consent Status,Source,Coverage,Campaign Type,Notes,Last Modified Time",
        `${person(1)},${sender},OptOut,Recipient,PhoneNumber,,"said ""no"", twice",${time}`,
        `${person(2)},${sender},OptIn,Api,Company,,,${time}`
      )
      const shuffled = yield* readLines(
        `\uFEFF"Notes", last modified time ,Colour,Source,coverage,CONSENT STATUS,Internal Party Number,External Party Number`,
        `"two`,
        `lines",${time},red,Recipient,,OptOut,${sender},${person(1)}`,
        "",
        `,${time},blue,Api,Account,OptIn,,${person(2)}`,
        ""
      )
      assert.deepStrictEqual(described, { readings, problems: [] })
      assert.deepStrictEqual(shuffled, { readings, problems: [] })
      const older = yield* readLines("FROM,TO,STATUS,SOURCE", `${sender},${person(1)},OptOut,Carrier`)
      assert.deepStrictEqual(older.readings, [{ sender, recipient: person(1), state: "opted-out", origin: "carrier" }])
    })
  )

  it.effect("is read the other way round where our own number stands in the person's place", () =>
    Effect.gen(function* () {
      const { readings } = yield* readLines(
        "External Party Number,Internal Party Number,Consent Status",
        `${sender},${person(1)},OptOut`,
        `${person(2)},${sender},OptOut`,
        // Two senders of ours text each other.
        `${otherSender},${sender},OptOut`
      )
      assert.deepStrictEqual(
        readings.map(({ recipient, sender }): ReadonlyArray<string> => [sender, recipient]),
        [
          [sender, person(1)],
          [sender, person(2)],
          [sender, otherSender]
        ]
      )
    })
  )

  it.effect("spares the other lines for one that cannot be understood, and names it without its numbers", () =>
    Effect.gen(function* () {
      const { problems, readings } = yield* readLines(
        "FROM,TO,STATUS",
        `${sender},12125,OptOut`,
        `${sender},${person(1)},Maybe`,
        sender,
        `${sender},${person(2)},OptOut,more,than,there,is`
      )
      assert.deepStrictEqual(
        [readings.map(({ recipient }) => recipient), problems.map(({ row }) => row)],
        [[person(2)], ["line 2", "line 3", "line 4"]]
      )
      assert.notMatch(JSON.stringify(problems), /\d{4}/)
    })
  )

  it.effect("shows no opt-in to all texts where it names a kind of campaign (L3)", () =>
    Effect.gen(function* () {
      const { problems, readings } = yield* readLines(
        "External Party Number,Internal Party Number,Consent Status,Coverage,Campaign Type",
        `${person(1)},${sender},OptIn,,Promotional`,
        `${person(2)},${sender},OptOut,,Promotional`,
        `${person(3)},${sender},OptIn,,`
      )
      assert.deepStrictEqual(
        [readings.map(({ recipient, state }) => [recipient, state]), problems.map(({ row }) => row)],
        [
          [
            [person(2), "opted-out"],
            [person(3), "opted-in"]
          ],
          ["line 2"]
        ]
      )
    })
  )

  it.effect("is none without the columns that say who and what, or without an end to a quote", () =>
    Effect.sync(() => {
      for (const [text, problem] of [
        ["", `the export has no column "internal party number" or "from"`],
        ["FROM,STATUS\n", `the export has no column "external party number" or "to"`],
        ["<html>We will be right back</html>", `the export has no column "internal party number" or "from"`],
        ['FROM,TO,STATUS\n"', "the export is no CSV"]
      ] as const) {
        const read = readConsentExport(text, [])
        assert.strictEqual(Result.isFailure(read) && read.failure.message, problem)
      }
    })
  )

  it.live("is downloaded from the account", () =>
    Effect.gen(function* () {
      const sandbox = yield* startSandbox({
        optedOut: 0,
        accounts: [{ vendor: "ringcentral", name: "acme", senders: [sender] }]
      })
      const [account] = sandbox.accounts
      if (account?.vendor !== "ringcentral") return yield* Effect.die("no RingCentral account")
      const { clientId, clientSecret, jwt } = account.credentials
      const config = configFor(account.url, {
        clientId,
        clientSecret: Redacted.make(clientSecret),
        jwt: Redacted.make(jwt)
      })
      yield* sandbox.text({ from: person(1), to: sender, text: "STOP" })
      yield* sandbox.edit({ account: "acme", sender: "*", action: "opt-out", recipients: [person(2)] })
      const { problems, readings } = yield* exportConsents(config, [sender])
      assert.deepStrictEqual(problems, [])
      assert.deepStrictEqual(
        readings.map(({ origin, recipient, sender, state }) => [sender, recipient, state, origin].join(" ")),
        [`${sender} ${person(1)} opted-out recipient`, `* ${person(2)} opted-out api`]
      )
    })
  )

  it.live("that is a page of HTML is Unreadable", () =>
    Effect.gen(function* () {
      const server = yield* startRingCentral(() => ({ body: "<html>We will be right back</html>" }))
      const error = yield* Effect.flip(exportConsents(configFor(server.url), [sender]))
      assert.strictEqual(error._tag === "ProviderError" && error.reason._tag, "Unreadable")
      assert.strictEqual(server.calls()[0]?.headers.accept, "text/csv")
    })
  )
})
