/** What is wrong in a configuration is said in one sentence, with its line and the cure, and nothing is started. */
import { readFile } from "node:fs/promises"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Layer, Result } from "effect"
import { open, parseConfig, withEnvironment } from "../src/index.ts"
import { good } from "./samples.ts"
import { makeWorld } from "./world.ts"

const problemsOf = (text: string) =>
  Effect.map(Effect.result(parseConfig("stopline.yaml", text)), (result) =>
    Result.isFailure(result) ? result.failure.message.split("\n") : []
  )

/** What is wrong, what is replaced by what in the good sample, and the one line that says so. */
const wrong: ReadonlyArray<readonly [what: string, from: string, to: string, said: string]> = [
  [
    "an unknown setting",
    "    settle: 5 seconds",
    "    settel: 5 seconds",
    "stopline.yaml:8: accounts[0].settel: is no setting; there are: name, senders, timeout, settle, vendor, connectionString, apiVersion, limits, events, webhook"
  ],
  [
    "an unknown section",
    "groups:",
    "colour: red\ngroups:",
    "stopline.yaml:16: colour: is no setting; there are: ledger, accounts, groups, people, policy, http, telemetry, schedule"
  ],
  [
    "a webhook without a proof",
    "webhook: { secret: { env: CONTOSO_WEBHOOK_SECRET } }",
    "webhook: {}",
    "stopline.yaml:7: accounts[0].webhook: Expected a secret, or entra, or both"
  ],
  [
    "keys of Entra ID that anybody on the way could change",
    "webhook: { secret: { env: CONTOSO_WEBHOOK_SECRET } }",
    'webhook: { entra: { keys: "http://keys.example/", issuers: [a], audiences: [b] } }',
    "stopline.yaml:7: accounts[0].webhook.entra.keys: Expected an https URL"
  ],
  [
    "no list of people",
    "groups:",
    "people: { country: US }\ngroups:",
    "stopline.yaml:16: people: Expected either a file or a database"
  ],
  [
    "two lists of people",
    "groups:",
    "people: { file: a.csv, database: { url: { env: CRM_URL }, query: select 1 } }\ngroups:",
    "stopline.yaml:16: people: Expected either a file or a database"
  ],
  [
    "a timeout before which nobody can answer",
    "    settle: 5 seconds",
    "    timeout: 0 seconds",
    "stopline.yaml:8: accounts[0].timeout: Expected a time longer than 0, such as 1 minute"
  ],
  [
    "a write after which nothing that is read is ever believed",
    "    settle: 5 seconds",
    "    settle: Infinity",
    "stopline.yaml:8: accounts[0].settle: Expected a time such as 10 minutes, or 0 seconds"
  ],
  [
    "a worker that never ends when it is told to",
    "port: 8080",
    "drain: Infinity",
    "stopline.yaml:23: http.drain: Expected a time such as 10 minutes, or 0 seconds"
  ],
  [
    "a country that is none",
    "groups:",
    "people: { file: a.csv, country: USA }\ngroups:",
    "stopline.yaml:16: people.country: Expected two letters such as US"
  ],
  [
    "a setting that is missing",
    "    jwt: { env: ACME_JWT }\n",
    "",
    "stopline.yaml:9: accounts[1].jwt: is missing; add it"
  ],
  [
    "a number that is none",
    '"20500"]',
    '"555-CALL-ME"]',
    "stopline.yaml:6: accounts[0].senders[1]: Expected an E.164 number such as +18005550100, or a short code such as 20500"
  ],
  [
    "a number without its quotes",
    '"20500"]',
    "20500]",
    'stopline.yaml:6: accounts[0].senders[1]: Expected text; numbers stand in quotes: "20500"'
  ],
  [
    "a sender in two groups",
    "  - name: brand\n",
    '  - name: other\n    senders: ["contoso/20500"]\n  - name: brand\n',
    "stopline.yaml:20: groups[1].senders[1]: contoso/20500 is in the group other already; a sender speaks for one group"
  ],
  [
    "a group with an unknown sender",
    '"acme/+16505550100"]',
    '"acme/+16505550199"]',
    "stopline.yaml:18: groups[0].senders[2]: no account has the sender acme/+16505550199; add it to the account's senders, or take it out here"
  ],
  [
    "a sender of a group without its account",
    '"acme/+16505550100"]',
    '"+16505550100"]',
    "stopline.yaml:18: groups[0].senders[2]: Expected account/sender, such as contoso/+18005550100"
  ],
  [
    "the same account twice",
    "groups:",
    "  - { name: contoso, vendor: azure, connectionString: { env: X }, senders: ['30500'] }\ngroups:",
    "stopline.yaml:16: accounts[2].name: another account is called contoso"
  ],
  [
    "the same sender twice",
    '"20500"]',
    '"20500", "20500"]',
    "stopline.yaml:6: accounts[0].senders[2]: 20500 stands here twice"
  ],
  [
    "the same group twice",
    "policy:",
    "  - { name: brand, senders: [] }\npolicy:",
    "stopline.yaml:19: groups[1].name: another group is called brand"
  ],
  [
    "no YAML",
    "  - name: acme",
    "  - name: [acme",
    "stopline.yaml:10: this is no YAML: Flow sequence in block collection must be sufficiently indented and end with a ]"
  ],
  ["a tab", "    jwt:", "\tjwt:", "stopline.yaml:14: this is no YAML: Tabs are not allowed as indentation"],
  ["a key twice", "    jwt:", "    name: acme\n    jwt:", "stopline.yaml:14: this is no YAML: Map keys must be unique"],
  [
    "an alias of nothing",
    "{ count: 10 }",
    "*nothing",
    "stopline.yaml: this is no YAML: Unresolved alias (the anchor must be set before the alias): nothing"
  ],
  ["a wrong type", "count: 10", "count: ten", "stopline.yaml:21: policy.guard.optOuts.count: Expected a number"],
  [
    "a share that is a percentage",
    "{ count: 10 }",
    "{ share: 20 }",
    "stopline.yaml:21: policy.guard.optOuts.share: Expected a value between 0 and 1"
  ],
  [
    "a time that is none",
    "every: 1 minute",
    "every: soon",
    "stopline.yaml:22: schedule.every: Expected a time such as 30 seconds or 10 minutes"
  ],
  [
    "a pause that is none",
    "every: 1 minute",
    "every: 0 seconds",
    "stopline.yaml:22: schedule.every: Expected a time longer than 0, such as 1 minute"
  ],
  [
    "a time that goes backwards",
    "every: 1 minute",
    "listen: -5 minutes",
    "stopline.yaml:22: schedule.listen: Expected a time longer than 0, such as 1 minute"
  ],
  [
    "a list that is never read anew",
    "groups:",
    "people: { file: a.csv, every: Infinity }\ngroups:",
    "stopline.yaml:16: people.every: Expected a time longer than 0, such as 1 minute"
  ],
  [
    "a wait for evidence that never ends",
    "policy:",
    "policy:\n  confirm: Infinity",
    "stopline.yaml:20: policy.confirm: Expected a time such as 10 minutes, or 0 seconds"
  ],
  [
    "a policy that is none",
    "optIn: strict",
    "optIn: lenient",
    'stopline.yaml:20: policy.optIn: Expected "strict" | "group" | "trusting"'
  ],
  [
    "a vendor that nobody knows",
    "vendor: azure",
    "vendor: carrier-pigeon",
    "stopline.yaml:3: accounts[0]: Expected an account whose vendor is azure, ringcentral or twilio"
  ],
  [
    "an account without senders",
    '["+16505550100"]',
    "[]",
    "stopline.yaml:15: accounts[1].senders: Expected a value with a length of at least 1"
  ],
  [
    "an account name that cannot stand in a URL",
    "name: contoso",
    "name: Contoso Ltd",
    "stopline.yaml:3: accounts[0].name: Expected lower-case letters, digits and dashes"
  ],
  [
    "a port that is none",
    "port: 8080",
    "port: 80800",
    "stopline.yaml:23: http.port: Expected a value between 0 and 65535"
  ],
  [
    "an address with a path",
    "https://sms.example.com",
    "https://example.com/sms",
    "stopline.yaml:23: http.publicUrl: Expected https://host, no path"
  ]
]

describe("a configuration", () => {
  it.effect("that is right says nothing", () =>
    Effect.gen(function* () {
      expect(yield* problemsOf(good)).toEqual([])
    })
  )

  for (const [what, from, to, said] of wrong) {
    it.effect(`with ${what}`, () =>
      Effect.gen(function* () {
        expect(good).toContain(from)
        expect(yield* problemsOf(good.replace(from, () => to))).toEqual([said])
      })
    )
  }

  it.effect("with several mistakes says all of them", () =>
    Effect.gen(function* () {
      const text = good.replace("every: 1 minute", "every: soon").replace("count: 10", "count: ten")
      expect(yield* problemsOf(text)).toHaveLength(2)
    })
  )

  it.effect("that is empty, or something else altogether", () =>
    Effect.gen(function* () {
      for (const text of ["", "42", "- a", "{}", "accounts: nothing", "accounts: [null]"]) {
        expect([text, (yield* problemsOf(text)).length]).toEqual([text, 1])
      }
    })
  )

  it.effect("with a secret in it does not repeat the secret", () =>
    Effect.gen(function* () {
      const [said = "", ...others] = yield* problemsOf(good.replace("{ env: ACME_JWT }", "hunter2hunter2"))
      expect(others).toEqual([])
      expect(said).toBe(
        "stopline.yaml:14: accounts[1].jwt: Expected { env: NAME }: secrets stand in the environment, and only the variable is named here"
      )
      const [named = ""] = yield* problemsOf(good.replace("ACME_JWT", "eyJ.hunter2.x"))
      expect(named).toContain("stopline.yaml:14: accounts[1].jwt.env: Expected the name of an environment variable")
      expect(named).not.toContain("hunter2")
    })
  )
})

describe("the configurations that are shown", () => {
  const pages = ["README.md", "docs/operations.md", "docs/providers/twilio.md"]
  for (const page of pages) {
    it.live(`in ${page} are right`, () =>
      Effect.gen(function* () {
        const text = yield* Effect.promise(() => readFile(new URL(`../../../${page}`, import.meta.url), "utf8"))
        const samples = [...text.matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, sample = ""]) => sample)
        expect(samples.length).toBeGreaterThan(0)
        for (const sample of samples) expect(yield* problemsOf(sample)).toEqual([])
      })
    )
  }
})

describe("a configuration whose environment is wrong", () => {
  const environment = {
    LEDGER_URL: "postgres://nobody@127.0.0.1:1/none",
    CONTOSO_CONNECTION_STRING: "endpoint=https://contoso.communication.azure.com/;accesskey=bWFkZSB1cA==",
    CONTOSO_WEBHOOK_SECRET: "4f1a-made-up-for-these-tests",
    ACME_CLIENT_ID: "made-up-id",
    ACME_CLIENT_SECRET: "made-up-secret",
    ACME_JWT: "made-up-jwt"
  }

  const opening = Effect.fnUntraced(function* (changes: Record<string, string | undefined>, text = good) {
    const config = yield* parseConfig("stopline.yaml", text)
    const set = Object.entries({ ...environment, ...changes }).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as const]
    )
    return yield* Effect.flip(
      Effect.scoped(Layer.build(open(config, "test"))).pipe(Effect.provide(withEnvironment(Object.fromEntries(set))))
    )
  })

  const table: ReadonlyArray<readonly [string, Record<string, string | undefined>, string]> = [
    [
      "a variable that is not set",
      { ACME_JWT: undefined },
      "stopline.yaml:9: accounts[1]: the environment variable ACME_JWT is not set; set it, or name another one"
    ],
    [
      "a variable that is empty",
      { CONTOSO_WEBHOOK_SECRET: "" },
      "stopline.yaml:3: accounts[0]: the environment variable CONTOSO_WEBHOOK_SECRET is not set; set it, or name another one"
    ],
    [
      "a variable with the newline of a file",
      { ACME_JWT: "made-up-jwt\n" },
      "stopline.yaml:9: accounts[1]: the environment variable ACME_JWT begins or ends with white space, such as the newline that `echo` adds to a file; take it out"
    ],
    [
      "no URL for the ledger",
      { LEDGER_URL: undefined },
      "stopline.yaml:1: ledger.url: the environment variable LEDGER_URL is not set; set it, or name another one"
    ],
    [
      "a connection string that is none",
      { CONTOSO_CONNECTION_STRING: "accesskey=hunter2" },
      "stopline.yaml:3: accounts[0]: the connection string is not of the form endpoint=https://….communication.azure.com/;accesskey=…"
    ],
    [
      "a secret that is too short",
      { CONTOSO_WEBHOOK_SECRET: "hunter2" },
      "stopline.yaml:3: accounts[0]: a webhook secret is shorter than 16 characters"
    ]
  ]

  it.effect("with no URL for the people, before anything is started", () =>
    Effect.gen(function* () {
      const error = yield* opening({}, `${good}people: { database: { url: { env: CRM_URL }, query: select 1 } }\n`)
      expect(error.message).toBe(
        "stopline.yaml:24: people.database.url: the environment variable CRM_URL is not set; set it, or name another one"
      )
    })
  )

  it.effect("with a webhook that RingCentral cannot be told of, before anything is started", () =>
    Effect.gen(function* () {
      const webhook = "    webhook: { verificationToken: { env: ACME_TOKEN } }\n"
      const deaf = good.replace("    jwt:", `${webhook}    jwt:`).replace(/^http: .*$/m, "http: { port: 8080 }")
      expect((yield* opening({}, deaf)).message).toBe(
        "stopline.yaml:9: accounts[1]: RingCentral has to be told where its webhook is; set http.publicUrl, or websocket: true here"
      )
      // It asks for no webhook then, and the next mistake is told of.
      const streaming = deaf.replace("    jwt:", "    websocket: true\n    jwt:")
      expect((yield* opening({}, streaming)).message).toContain("ACME_TOKEN is not set")
    })
  )

  for (const [what, changes, said] of table) {
    // The ledger's URL leads nowhere: had anything been started, that would be the error.
    it.live(`with ${what}, before anything is started`, () =>
      Effect.gen(function* () {
        const error = yield* opening(changes)
        expect([error._tag, error.message]).toEqual(["ConfigError", said])
      })
    )
  }

  it.live("leaves the database as it is", () =>
    Effect.gen(function* () {
      const { databaseUrl, sql } = yield* makeWorld()
      const tables = sql("select count(*)::int as senders from sender")
      const before = yield* tables
      const config = yield* parseConfig("stopline.yaml", good)
      const exit = yield* Effect.exit(
        Effect.scoped(Layer.build(open(config, "test"))).pipe(
          Effect.provide(withEnvironment({ ...environment, LEDGER_URL: databaseUrl, ACME_JWT: "" }))
        )
      )
      expect(Exit.isFailure(exit)).toBe(true)
      expect(yield* tables).toEqual(before)
    })
  )
})
