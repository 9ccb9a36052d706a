/**
 * What a worker has around it: providers in a sandbox, a database of its own, a
 * folder with a configuration, and the environment which that names.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import path from "node:path"
import { SmsClient } from "@azure/communication-sms"
import { freePort } from "@stopline/ledger"
import { type AccountOptions, type Sandbox, type SandboxAccount, startSandbox } from "@stopline/sandbox"
import { Clock, Effect, Redacted } from "effect"
import pg from "pg"
import { freshDatabase } from "../../../test/database.ts"
import { doorTo } from "./ports.ts"

export const azure = "contoso"
export const ringcentral = "acme"
export const tollFree = "+18005550100"
export const tenDlc = "+14255550123"
export const shortCode = "20500"
export const acmeSender = "+16505550100"
export const azureSenders = [tollFree, tenDlc, shortCode]

const accountsFor = ({ anyDate = false, patient = false }: WorldOptions): ReadonlyArray<AccountOptions> => [
  {
    vendor: "azure",
    name: azure,
    senders: azureSenders,
    retryDelays: [100, 200, 400, 800],
    ...(anyDate && { dateTolerance: Number.MAX_SAFE_INTEGER })
  },
  {
    vendor: "ringcentral",
    name: ringcentral,
    senders: [acmeSender],
    ...(patient && { webhookTimeout: 60_000 })
  }
]

export interface WorldOptions {
  readonly people?: number
  /** People on RingCentral's list before anything begins. */
  readonly optedOut?: number
  /** Lines of the configuration below its accounts. */
  readonly rest?: string
  /** Lines of every account. */
  readonly everyAccount?: string
  /** Leaves the webhook secrets out, so that no account takes events. */
  readonly deaf?: boolean
  /** How far the providers' clocks are ahead of ours (ms). */
  readonly aheadMs?: number
  /** RingCentral's events come by WebSocket, and no provider can reach the worker. */
  readonly websocket?: boolean
  /** Azure takes requests of any date: its client dates them by real time, whatever clock a test has. */
  readonly anyDate?: boolean
  /** RingCentral waits longer for an answer than it does: a machine may be busy with other tests. */
  readonly patient?: boolean
  /** An account beside the two. */
  readonly third?: ThirdAccount
}

export interface ThirdAccount {
  readonly account: AccountOptions
  /** What the worker has to know of it: lines of the configuration, and variables. */
  readonly describe: (account: SandboxAccount) => {
    readonly lines: string
    readonly environment: Readonly<Record<string, string>>
  }
}

export interface World {
  readonly sandbox: Sandbox
  readonly folder: string
  readonly file: string
  readonly environment: Readonly<Record<string, string>>
  /** Of the worker. */
  readonly port: number
  readonly url: string
  readonly databaseUrl: string
  readonly sql: <Row extends pg.QueryResultRow>(
    text: string,
    values?: ReadonlyArray<unknown>
  ) => Effect.Effect<Array<Row>>
  /** Cuts the way to the database, and opens it again. */
  readonly cut: Effect.Effect<void>
  readonly mend: Effect.Effect<void>
}

export const secrets = {
  CONTOSO_WEBHOOK_SECRET: "4f1a-made-up-for-these-tests",
  ACME_WEBHOOK_TOKEN: "9c2b-made-up-for-these-tests"
}

const find = (sandbox: Sandbox, name: string): SandboxAccount => {
  const account = sandbox.accounts.find((candidate) => candidate.name === name)
  if (account === undefined) throw new Error(`the sandbox has no account ${name}`)
  return account
}

const environmentOf = (sandbox: Sandbox, ledgerUrl: string): Record<string, string> => {
  const { credentials: ours } = find(sandbox, azure)
  const { credentials: theirs } = find(sandbox, ringcentral)
  return {
    STOPLINE_LEDGER_URL: ledgerUrl,
    ...("connectionString" in ours && { CONTOSO_CONNECTION_STRING: ours.connectionString }),
    ...("jwt" in theirs && {
      ACME_CLIENT_ID: theirs.clientId,
      ACME_CLIENT_SECRET: theirs.clientSecret,
      ACME_JWT: theirs.jwt
    }),
    ...secrets
  }
}

/** Short waits, so that no test has to sit out a provider's minute. */
const briefly = "{ requests: 6000, penalty: 200 millis }"

const configText = (sandbox: Sandbox, port: number, third: string, options: WorldOptions = {}): string => {
  const senders = (names: ReadonlyArray<string>) => JSON.stringify(names)
  const extra = (options.everyAccount ?? "")
    .split("\n")
    .map((line) => `    ${line}`)
    .join("\n")
  return `ledger: { url: { env: STOPLINE_LEDGER_URL } }
accounts:
  - name: ${azure}
    vendor: azure
    connectionString: { env: CONTOSO_CONNECTION_STRING }
    senders: ${senders(azureSenders)}
    limits: ${briefly}
    settle: 1 millis
    ${options.deaf === true ? "" : "webhook: { secret: { env: CONTOSO_WEBHOOK_SECRET } }"}
${extra}
  - name: ${ringcentral}
    vendor: ringcentral
    server: ${find(sandbox, ringcentral).url}
    clientId: { env: ACME_CLIENT_ID }
    clientSecret: { env: ACME_CLIENT_SECRET }
    jwt: { env: ACME_JWT }
    senders: ${senders([acmeSender])}
    limits: ${briefly}
    settle: 1 millis
    ${options.websocket === true ? "websocket: true" : ""}
    ${options.deaf === true ? "" : "webhook: { verificationToken: { env: ACME_WEBHOOK_TOKEN } }"}
${extra}
${third}
http: { port: ${port}${options.websocket === true ? "" : `, publicUrl: "http://127.0.0.1:${port}"`} }
${options.rest ?? "schedule: { every: 1 hour }"}
`
}

/**
 * The locks in the database of whoever asks; a condition may follow with `and`.
 * Postgres shows those of all databases, and in clones of one template a table
 * has the same number: without this a test takes another's locks for its own.
 */
export const locksHere = "pg_locks where database = (select oid from pg_database where datname = current_database())"

const temporaryFolder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(path.join(tmpdir(), "stopline-world-"))),
  (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
)

export const makeWorld = Effect.fn("makeWorld")(function* (options: WorldOptions = {}) {
  const sandbox = yield* startSandbox({
    people: options.people ?? 50,
    optedOut: options.optedOut ?? 0,
    accounts: options.third === undefined ? accountsFor(options) : [...accountsFor(options), options.third.account]
  }).pipe(Effect.provideService(Clock.Clock, yield* clockAhead(options.aheadMs ?? 0)))
  const databaseUrl = Redacted.value(yield* freshDatabase)
  const door = yield* doorTo(databaseUrl)
  const port = yield* freePort
  const folder = yield* temporaryFolder
  const file = path.join(folder, "stopline.yaml")
  const third = options.third?.describe(find(sandbox, options.third.account.name))
  yield* Effect.promise(() => writeFile(file, configText(sandbox, port, third?.lines ?? "", options)))
  const world: World = {
    sandbox,
    folder,
    file,
    port,
    url: `http://127.0.0.1:${port}`,
    databaseUrl,
    environment: { ...environmentOf(sandbox, door.url), ...third?.environment },
    sql: yield* sqlOn(databaseUrl),
    cut: door.cut,
    mend: door.mend
  }
  return world
})

const clockAhead = Effect.fnUntraced(function* (ms: number) {
  const ours = yield* Clock.Clock
  const currentTimeMillisUnsafe = () => ours.currentTimeMillisUnsafe() + ms
  const theirs: Clock.Clock = Object.assign(Object.create(ours), {
    currentTimeMillisUnsafe,
    currentTimeMillis: Effect.sync(currentTimeMillisUnsafe)
  })
  return theirs
})

const sqlOn = Effect.fnUntraced(function* (url: string) {
  const pool = yield* Effect.acquireRelease(
    Effect.sync(() => new pg.Pool({ connectionString: url, max: 2 })),
    (pool) => Effect.promise(() => pool.end())
  )
  pool.on("error", () => undefined)
  return <Row extends pg.QueryResultRow>(text: string, values: ReadonlyArray<unknown> = []) =>
    Effect.promise(async () => (await pool.query<Row>(text, [...values])).rows)
})

/** A connection that is somebody else's, who keeps this table for themselves until they roll back or are gone. */
export const keepTable = ({ databaseUrl }: World, table: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const client = new pg.Client({ connectionString: databaseUrl })
      await client.connect()
      await client.query(`begin; lock table ${table} in exclusive mode`)
      return client
    }),
    (client) => Effect.promise(() => client.end())
  )

/** Asks Azure through Microsoft's own client. */
export const azureHolds = Effect.fn("azureHolds")(function* ({ sandbox }: World, sender: string, person: string) {
  const { credentials } = find(sandbox, azure)
  const connection = "connectionString" in credentials ? credentials.connectionString : ""
  const client = new SmsClient(connection, { allowInsecureConnection: true })
  const [answer] = yield* Effect.promise(() => client.optOuts.check(sender, [person]))
  return answer?.httpStatusCode === 200 && answer.isOptedOut
})

/** Whether RingCentral's list has the pair. */
export const ringcentralHolds = Effect.fn("ringcentralHolds")(function* ({ sandbox }: World, person: string) {
  const { senders } = yield* sandbox.state(ringcentral, acmeSender)
  return senders[0]?.optedOut.includes(person) === true
})

/** For a process that starts beside others on a busy machine. */
const patienceMs = 60_000

/** Waits until it holds, and says what did not. */
export const eventually = Effect.fn("eventually")(function* <E, R>(
  what: string,
  holds: Effect.Effect<boolean, E, R>,
  patience = patienceMs
) {
  const since = yield* Clock.currentTimeMillis
  while (!(yield* holds)) {
    if ((yield* Clock.currentTimeMillis) - since > patience) return yield* Effect.die(new Error(`never: ${what}`))
    yield* Effect.sleep("10 millis")
  }
})

/** Subscribes the worker to Azure's events, handshake and all. */
export const listenToAzure = ({ sandbox, url }: World, wish: { readonly schema?: "EventGrid" | "CloudEvents" } = {}) =>
  sandbox.subscribe({
    account: azure,
    url: `${url}/webhooks/${azure}?code=${secrets.CONTOSO_WEBHOOK_SECRET}`,
    ...wish
  })

/** The number of the last round that was begun. */
export const lastRound = ({ sql }: World): Effect.Effect<number> =>
  Effect.map(
    sql<{ id: number }>("select coalesce(max(id), 0)::int as id from run where kind = 'round'"),
    ([row]) => row?.id ?? 0
  )

/** Until a round that began after that one has ended. */
export const roundAfter = ({ sql }: World, id: number): Effect.Effect<void> =>
  eventually(
    "a round has ended",
    Effect.map(
      sql("select from run where kind = 'round' and id > $1 and ended_at is not null", [id]),
      (rows) => rows.length > 0
    )
  )

/** Until every job is done that is due now, or under way. */
export const dueDone = Effect.fn("dueDone")(function* ({ sql }: World) {
  const due = yield* sql<{ id: string }>(
    "select id from stopline_jobs.job where state < 'completed' and (state = 'active' or start_after <= now())"
  )
  const left = sql("select from stopline_jobs.job where id = any($1) and state < 'completed'", [
    due.map(({ id }) => id)
  ])
  yield* eventually(
    "what was due is done",
    Effect.map(left, (rows) => rows.length === 0)
  )
})
