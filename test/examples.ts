/**
 * The examples of the packages, each run as a program of its own against the
 * sandbox: from the sources by the tests, and from the packed packages by the
 * pack check.
 */
import { strict as assert } from "node:assert"
import { spawn } from "node:child_process"
import { createServer, type Server } from "node:http"
import { text } from "node:stream/consumers"
import type { Sandbox, SandboxOptions } from "@stopline/sandbox"
import { Effect, Option, Stream } from "effect"

export interface Example {
  /** Below the folder of the package. */
  readonly file: string
  /** Where the default accounts will not do. */
  readonly world?: SandboxOptions
  /** @param file where it is @param sandbox one with these accounts */
  readonly run: (file: string, sandbox: Sandbox) => Effect.Effect<void, unknown>
}

const contoso = "+14255550123"
const acme = "+16505550100"
const numbers = ["+15550100150", "+15550100151"] as const

const credentials = ({ accounts }: Sandbox): Readonly<Record<string, string>> => ({
  ...process.env,
  ...Object.fromEntries(
    accounts.flatMap((account): ReadonlyArray<readonly [string, string]> =>
      account.vendor === "azure"
        ? [["AZURE_CONNECTION_STRING", account.credentials.connectionString]]
        : account.vendor === "ringcentral"
          ? [
              ["RC_SERVER", account.url],
              ["RC_CLIENT_ID", account.credentials.clientId],
              ["RC_CLIENT_SECRET", account.credentials.clientSecret],
              ["RC_JWT", account.credentials.jwt]
            ]
          : [
              ["TWILIO_ACCOUNT_SID", account.credentials.accountSid],
              ["TWILIO_API_KEY", account.credentials.apiKey],
              ["TWILIO_API_KEY_SECRET", account.credentials.apiKeySecret],
              ["TWILIO_AUTH_TOKEN", account.credentials.authToken],
              ["TWILIO_ACCOUNTS_URL", account.url]
            ]
    )
  ),
  TWILIO_WEBHOOK_URL: publicUrl,
  AZURE_WEBHOOK_SECRET: secret,
  PORT: "0"
})

const secret = "made-up-for-the-examples"
const publicUrl = "https://sms.example.com/"

const startIn = (file: string, args: ReadonlyArray<string>, env: NodeJS.ProcessEnv) =>
  Effect.acquireRelease(
    Effect.sync(() => spawn(process.execPath, [file, ...args], { env, stdio: "pipe" })),
    (child) => Effect.sync(() => child.kill())
  )

const start = (file: string, args: ReadonlyArray<string>, sandbox: Sandbox) => startIn(file, args, credentials(sandbox))

const output = (file: string, args: ReadonlyArray<string>, sandbox: Sandbox) =>
  outputOf(file, args, credentials(sandbox))

/** What it printed, once it has ended. */
const outputOf = Effect.fnUntraced(function* (file: string, args: ReadonlyArray<string>, env: NodeJS.ProcessEnv) {
  const child = yield* startIn(file, args, env)
  const [lines, errors, code] = yield* Effect.promise(() =>
    Promise.all([text(child.stdout), text(child.stderr), new Promise((resolve) => child.once("close", resolve))])
  )
  return {
    lines: lines
      .trimEnd()
      .split("\n")
      .map((line) => line.trim()),
    errors,
    code
  }
}, Effect.scoped)

const optOutAtAzure: Example = {
  file: "packages/provider-azure/examples/opt-out.ts",
  run: Effect.fn(function* (file, sandbox) {
    const { code, errors, lines } = yield* output(file, [contoso, ...numbers], sandbox)
    assert.deepEqual(
      { code, errors, lines },
      {
        code: 0,
        errors: "",
        lines: [...numbers.map((number) => `${number} held`), ...numbers.map((number) => `${number} opted-out`)]
      }
    )
    yield* sandbox.fault({ account: "contoso", kind: "throttle", retryAfter: 3, times: 1 })
    const failed = yield* output(file, [contoso, ...numbers], sandbox)
    assert.equal(failed.code, 1)
    assert.match(failed.errors, /^Throttled azure: optOut: Throttled: Azure answered 429.* wait 3000 ms$/m)
  })
}

/** Starts a webhook, enters it at the provider, lets a person text STOP, and holds the program to what it prints of that. */
const hearsStop = Effect.fnUntraced(function* (
  file: string,
  sandbox: Sandbox,
  sender: string,
  enter: (origin: string) => Effect.Effect<unknown, unknown>
) {
  const child = yield* start(file, [sender], sandbox)
  const lines = Stream.fromAsyncIterable(child.stdout.setEncoding("utf8"), String).pipe(
    Stream.map(String),
    Stream.splitLines
  )
  const heard = yield* lines.pipe(
    Stream.mapEffect((line) => {
      const port = /listening .*port: (\d+)/.exec(line)?.[1]
      if (port === undefined) return Effect.succeed(line)
      return enter(`http://127.0.0.1:${port}/`).pipe(
        Effect.andThen(sandbox.text({ from: numbers[0], to: sender, text: "STOP" })),
        Effect.as("")
      )
    }),
    Stream.filter((line) => line !== ""),
    Stream.runHead
  )
  assert.equal(Option.getOrUndefined(heard), `${numbers[0]} opted-out ${sender} message`)
}, Effect.scoped)

const webhookOfAzure: Example = {
  file: "packages/provider-azure/examples/webhook.ts",
  run: (file, sandbox) =>
    hearsStop(file, sandbox, contoso, (origin) =>
      sandbox.subscribe({ account: "contoso", url: `${origin}?code=${secret}` })
    )
}

const exportFromRingCentral: Example = {
  file: "packages/provider-ringcentral/examples/export.ts",
  run: Effect.fn(function* (file, sandbox) {
    const { code, errors, lines } = yield* output(file, [acme], sandbox)
    assert.deepEqual({ code, errors }, { code: 0, errors: "" })
    const held = (yield* sandbox.state("acme", acme)).senders.flatMap(({ optedOut }) => optedOut)
    assert.equal(held.length, 25)
    assert.equal(lines.length, held.length)
    for (const number of held) assert.ok(lines.some((line) => line.startsWith(`${number} ${acme} `)))
  })
}

const optOutAtRingCentral: Example = {
  file: "packages/provider-ringcentral/examples/opt-out.ts",
  run: Effect.fn(function* (file, sandbox) {
    yield* sandbox.edit({ account: "acme", sender: acme, action: "opt-out", recipients: [numbers[0]] })
    yield* sandbox.edit({ account: "acme", sender: acme, action: "opt-in", recipients: [numbers[1]] })
    const { code, errors, lines } = yield* output(file, [acme, ...numbers], sandbox)
    assert.deepEqual({ code, errors, lines }, { code: 0, errors: "", lines: [`${numbers[1]} held`] })
  })
}

const fabrikam = "+14255550188"
const world: SandboxOptions = { accounts: [{ vendor: "twilio", name: "fabrikam", senders: [fabrikam] }] }

const optOutAtTwilio: Example = {
  file: "packages/provider-twilio/examples/opt-out.ts",
  world,
  run: Effect.fn(function* (file, sandbox) {
    const { code, errors, lines } = yield* output(file, [fabrikam, ...numbers], sandbox)
    assert.deepEqual({ code, errors, lines }, { code: 0, errors: "", lines: numbers.map((number) => `${number} held`) })
    const { senders } = yield* sandbox.state("fabrikam", fabrikam)
    assert.deepEqual(senders.flatMap(({ optedOut }) => optedOut).toSorted(), numbers)
    yield* sandbox.fault({ account: "fabrikam", kind: "throttle", retryAfter: 3, times: 1 })
    const failed = yield* output(file, [fabrikam, ...numbers], sandbox)
    assert.equal(failed.code, 1)
    assert.match(failed.errors, /^Throttled twilio: optOut: Throttled: Twilio answered 429.* wait 3000 ms$/m)
  })
}

const webhookOfTwilio: Example = {
  file: "packages/provider-twilio/examples/webhook.ts",
  world,
  run: (file, sandbox) =>
    hearsStop(file, sandbox, fabrikam, (url) => sandbox.listen({ account: "fabrikam", url, publicUrl }))
}

/** In the place of a worker: what it would say of two people, to who has the key. */
const worker = Effect.acquireRelease(
  Effect.callback<Server>((resume) => {
    const server = createServer((request, response) => {
      const may = request.headers.authorization === "Bearer made-up"
      const of = (recipient: string, mayText: boolean, why: string) => ({ recipient, mayText, why })
      const results = [of(numbers[0], true, "nothing-said"), of(numbers[1], false, "opted-out")]
      const senders = [{ account: "contoso", events: "unproven" }]
      response.writeHead(may ? 200 : 401).end(JSON.stringify(may ? { results, senders } : { detail: "give a key" }))
    })
    server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
  }),
  (server) => Effect.sync(() => void server.close())
)

const mayText: Example = {
  file: "packages/client/examples/may-text.ts",
  run: Effect.fn(function* (file) {
    const address = (yield* worker).address()
    const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : address}`
    const asks = (key: string) =>
      outputOf(file, [contoso, ...numbers], { ...process.env, STOPLINE_URL: url, STOPLINE_KEY: key })
    const { code, errors, lines } = yield* asks("made-up")
    const said = [`${numbers[0]} yes nothing-said`, `${numbers[1]} no opted-out`, "events of contoso: unproven"]
    assert.deepEqual({ code, errors, lines }, { code: 0, errors: "", lines: said })
    const failed = yield* asks("another")
    assert.deepEqual([failed.code, failed.errors], [1, "unauthorised: give a key\n"])
  }, Effect.scoped)
}

export const examplesOfClient: ReadonlyArray<Example> = [mayText]
export const examplesOfAzure: ReadonlyArray<Example> = [optOutAtAzure, webhookOfAzure]
export const examplesOfRingCentral: ReadonlyArray<Example> = [exportFromRingCentral, optOutAtRingCentral]
export const examplesOfTwilio: ReadonlyArray<Example> = [optOutAtTwilio, webhookOfTwilio]
