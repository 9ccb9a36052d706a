/** The control port of the providers: what people and colleagues do, and what is held. */
import { Effect, Schedule, Schema } from "effect"

const Accounts = Schema.fromJsonString(
  Schema.Struct({
    accounts: Schema.Array(
      Schema.Struct({
        name: Schema.String,
        url: Schema.String,
        credentials: Schema.Record(Schema.String, Schema.String)
      })
    )
  })
)

const State = Schema.fromJsonString(
  Schema.Struct({
    senders: Schema.Array(
      Schema.Struct({
        sender: Schema.String,
        optedOut: Schema.Array(Schema.String),
        carrierHeld: Schema.Array(Schema.String)
      })
    )
  })
)

export type Account = (typeof Accounts.Type)["accounts"][number]

export interface Control {
  readonly accounts: Effect.Effect<ReadonlyArray<Account>>
  readonly text: (from: string, to: string, words: string) => Effect.Effect<void>
  /** A colleague opts somebody out in the provider's console. */
  readonly edit: (account: string, sender: string, person: string) => Effect.Effect<void>
  readonly fault: (fault: {
    readonly account: string
    readonly kind: string
    readonly [field: string]: unknown
  }) => Effect.Effect<void>
  readonly clearFaults: Effect.Effect<void>
  /** Event Grid calls this webhook from now on. */
  readonly subscribe: (account: string, url: string) => Effect.Effect<void>
  /** The pairs `sender person` that this account blocks. */
  readonly held: (account: string) => Effect.Effect<ReadonlySet<string>>
}

export const controlOf = (url: string): Control => {
  const call = (method: "GET" | "POST" | "DELETE", path: string, body?: object) =>
    Effect.promise(async () => {
      const response = await fetch(`${url}${path}`, { method, ...(body && { body: JSON.stringify(body) }) })
      const text = await response.text()
      if (response.status >= 300) throw new Error(`${method} ${path}: ${response.status} ${text}`)
      return text
    })
  return {
    accounts: call("GET", "/accounts").pipe(
      // Not there yet.
      Effect.sandbox,
      Effect.retry({ times: 300, schedule: Schedule.spaced("50 millis") }),
      Effect.orDie,
      Effect.map((text) => Schema.decodeSync(Accounts)(text).accounts)
    ),
    text: (from, to, text) => Effect.asVoid(call("POST", "/texts", { from, to, text })),
    edit: (account, sender, person) =>
      Effect.asVoid(call("POST", "/edits", { account, sender, action: "opt-out", recipients: [person] })),
    fault: (fault) => Effect.asVoid(call("POST", "/faults", fault)),
    clearFaults: Effect.asVoid(call("DELETE", "/faults")),
    subscribe: (account, webhook) =>
      Effect.asVoid(call("POST", "/subscriptions", { account, url: webhook, schema: "EventGrid" })),
    held: (account) =>
      Effect.map(call("GET", `/state?account=${account}`), (text) => {
        const { senders } = Schema.decodeSync(State)(text)
        return new Set(
          senders.flatMap(({ carrierHeld, optedOut, sender }) =>
            [...optedOut, ...carrierHeld].map((person) => `${sender} ${person}`)
          )
        )
      })
  }
}
