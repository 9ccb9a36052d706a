/** The keys by which applications ask over HTTP: made, listed, revoked. */
import { addKey, revokeKey, scopes, standingKeys } from "@stopline/ledger"
import { makeKey } from "@stopline/worker"
import { Clock, Duration, Effect, Option, Redacted, Schema } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { configFlag, jsonFlag, whoami, withFleet } from "../common.ts"
import { UsageError } from "../exit.ts"
import { moment, say } from "../say.ts"

const nameForm = /^[a-z0-9][a-z0-9-]{0,62}$/

const asDuration = Schema.decodeUnknownOption(Schema.DurationFromString)

/** No calendar goes further, neither ours nor that of the ledger. */
const latest = Date.parse("9999-12-31T23:59:59Z")

const readExpiry = Effect.fnUntraced(function* (text: Option.Option<string>, now: number) {
  if (Option.isNone(text)) return undefined
  const forMs = Option.match(asDuration(text.value), { onNone: () => 0, onSome: Duration.toMillis })
  if (!(forMs > 0) || now + forMs > latest) {
    return yield* new UsageError({ problem: "--expires is no time to come; write it as '90 days' or '12 hours'" })
  }
  return now + forMs
})

const add = Command.make(
  "add",
  {
    config: configFlag,
    json: jsonFlag,
    name: Flag.String("name").pipe(
      Flag.withDescription("Which application it is for: lower-case letters, digits, dashes")
    ),
    scope: Flag.Literals("scope", scopes).pipe(
      Flag.withDescription("What it may do, each with what comes before: read < attest < operate"),
      Flag.withDefault("read" as const)
    ),
    expires: Flag.String("expires").pipe(
      Flag.withDescription("How long it is good for: '90 days' (default: until it is revoked)"),
      Flag.optional
    )
  },
  Effect.fn(function* ({ config, json, name, scope, expires }) {
    if (!nameForm.test(name)) {
      return yield* new UsageError({ problem: "--name: expected lower-case letters, digits and dashes, such as crm" })
    }
    const now = yield* Clock.currentTimeMillis
    const expiresAt = yield* readExpiry(expires, now)
    yield* withFleet(
      config,
      Effect.gen(function* () {
        const { key, digest, handle } = yield* makeKey
        const until = expiresAt === undefined ? {} : { expiresAt }
        const added = yield* addKey({ name, handle, digest, scope, createdBy: whoami(), ...until }, now)
        if (!added) {
          return yield* new UsageError({
            problem: `there is a key called ${name}; give this one another name, or \`stopline keys revoke ${name}\` first`
          })
        }
        const told = { name, scope, expiresAt: expiresAt ?? null, key: Redacted.value(key) }
        yield* say(json, told, [
          Redacted.value(key),
          "",
          `This is the key of ${name}, of the scope ${scope}${expiresAt === undefined ? "" : `, until ${moment(expiresAt)}`}. It is shown this once: only its hash is kept.`
        ])
      })
    )
  })
).pipe(
  Command.withDescription("Make a key for an application, and print it once"),
  Command.withExamples([{ command: "stopline keys add --name crm --scope read --expires '90 days'" }])
)

const list = Command.make(
  "list",
  { config: configFlag, json: jsonFlag },
  Effect.fn(function* ({ config, json }) {
    yield* withFleet(
      config,
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const keys = (yield* standingKeys()).map(({ createdAt, createdBy, expiresAt, name, scope }) => {
          return { name, scope, createdAt, createdBy, expiresAt }
        })
        const line = (key: (typeof keys)[number]) => {
          const expired = key.expiresAt !== null && key.expiresAt <= now
          const until = key.expiresAt === null ? "" : `, ${expired ? "expired" : "until"} ${moment(key.expiresAt)}`
          return `${key.name}  ${key.scope}, made ${moment(key.createdAt)} by ${key.createdBy}${until}`
        }
        yield* say(json, { keys }, keys.length === 0 ? ["There are no keys."] : keys.map(line))
      })
    )
  })
).pipe(Command.withDescription("List the keys that are not revoked; the keys themselves are nowhere"))

const revoke = Command.make(
  "revoke",
  { config: configFlag, json: jsonFlag, name: Argument.String("name") },
  Effect.fn(function* ({ config, json, name }) {
    yield* withFleet(
      config,
      Effect.gen(function* () {
        const revoked = yield* revokeKey(name, whoami(), yield* Clock.currentTimeMillis)
        if (!revoked) {
          return yield* new UsageError({ problem: "there is no such key; `stopline keys list` names them" })
        }
        yield* say(json, { revoked: name }, [`Revoked ${name}; every worker refuses it within two seconds.`])
      })
    )
  })
).pipe(Command.withDescription("Revoke a key by its name"))

export const keys = Command.make("keys").pipe(
  Command.withDescription("The keys by which applications ask over HTTP"),
  Command.withSubcommands([add, list, revoke])
)
