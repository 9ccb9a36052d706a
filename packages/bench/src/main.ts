/** `bench`: how fast it is, beside the least that could do the same. */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { embeddedPostgres, temporaryFolder } from "@stopline/ledger"
import { Console, Effect, Layer, Option, Redacted } from "effect"
import { CliError, Command, Flag } from "effect/cli"
import { Bed } from "./bed.ts"
import { type Row, Watching } from "./bench.ts"
import { benches } from "./benches.ts"
import { machine } from "./machine.ts"
import { table } from "./table.ts"

const names = benches.map(({ name }) => name)

/** A Postgres from npm with its default settings, and nothing left of it afterwards. */
const server = Layer.unwrap(
  Effect.gen(function* () {
    return Bed.layer(yield* embeddedPostgres({ folder: yield* temporaryFolder("bench") }))
  })
)

const bench = Command.make(
  "bench",
  {
    quick: Flag.Boolean("quick").pipe(Flag.withDescription("A tenth of the sizes"), Flag.withDefault(false)),
    share: Flag.Finite("share").pipe(Flag.withDescription("Another share of the sizes, such as 0.01"), Flag.optional),
    rounds: Flag.Int("rounds").pipe(Flag.withDescription("How often each side is measured"), Flag.withDefault(3)),
    only: Flag.String("only").pipe(Flag.withDescription(`One of: ${names.join(", ")}`), Flag.optional),
    url: Flag.String("url").pipe(
      Flag.withDescription(
        "A Postgres that runs already, by its URL; otherwise one from npm, with its default settings"
      ),
      Flag.optional
    ),
    json: Flag.Boolean("json").pipe(Flag.withDescription("Only the result, as JSON"), Flag.withDefault(false))
  },
  Effect.fn("bench")(function* ({ json, only, quick, rounds, share, url }) {
    const wanted = benches.filter(({ name }) => Option.getOrElse(only, () => name) === name)
    if (wanted.length === 0) {
      const userMessage = `there is no bench ${Option.getOrElse(only, () => "")}; there are ${names.join(", ")}`
      return yield* new CliError.UserError({ cause: undefined, userMessage })
    }
    const extent = { share: Option.getOrElse(share, () => (quick ? 0.1 : 1)), rounds }
    const { rows, version } = yield* Effect.gen(function* () {
      const rows: Array<Row> = []
      for (const one of wanted) {
        // What the others found must not be lost over one that fails.
        const found = yield* Effect.exit(Effect.scoped(one.run(extent)))
        if (found._tag === "Success") rows.push(...found.value)
        else yield* Effect.logError(`${one.name} failed`, found.cause)
      }
      return { rows, version: (yield* Bed).version }
    }).pipe(Effect.provide(Option.match(url, { onSome: (url) => Bed.layer(Redacted.make(url)), onNone: () => server })))
    const on = machine(version)
    yield* Console.log(json ? JSON.stringify({ machine: on, extent, rows }, null, 2) : table(on, extent, rows))
    if (rows.length < wanted.length) return yield* Effect.die("not every bench came to its end")
    if (rows.some(({ work }) => work.ours !== work.peer))
      return yield* Effect.die("the two sides did not do the same work")
  })
).pipe(Command.withDescription("How fast it is, beside the least that could do the same"))

/** On a terminal one line that is written over; elsewhere a line each. */
const telling = (what: string): Effect.Effect<void> =>
  Effect.sync(() => void process.stderr.write(process.stderr.isTTY ? `\r\u001B[K${what} ` : `${what}\n`))

bench.pipe(
  Command.run({ version: "0.1.0" }),
  Effect.provideService(Watching, telling),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain
)
