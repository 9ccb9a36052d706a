import { everySender, isCountry, parseSender, type SenderAddress } from "@stopline/consent"
import { importOptOuts as runImport, type ImportReport, type OptedOutAt, ownerOf, type Station } from "@stopline/engine"
import { lines, openOptOuts, type OptOutFile, parseWhen, whenExample } from "@stopline/worker"
import path from "node:path"
import { Clock, Effect, Option, Result } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { accountFlag, configFlag, jsonFlag, stationsFor, whoami, withFleet } from "../common.ts"
import { Ends, UsageError } from "../exit.ts"
import { plural, say } from "../say.ts"

const readTime = Effect.fnUntraced(function* (at: Option.Option<string>, now: number) {
  if (Option.isNone(at)) return undefined
  const time = parseWhen(at.value)
  if (time === undefined) {
    return yield* new UsageError({ problem: `--at is no time; write it with its zone, as ${whenExample}` })
  }
  if (time.notBefore > now) {
    return yield* new UsageError({ problem: "--at lies in the future; give the time at which these people opted out" })
  }
  return time
})

const senderFlag = Effect.fnUntraced(function* (stations: ReadonlyArray<Station>, text: string) {
  const sender = Option.getOrUndefined(parseSender(text))
  if (sender === undefined) {
    return yield* new UsageError({ problem: "--sender is none; write it as +18005550100, or a short code as 20500" })
  }
  const { account } = yield* Effect.fromResult(ownerOf(stations, sender))
  const place: OptedOutAt = { account, sender }
  return place
})

/** Of a sender that a row names. */
const finder =
  (stations: ReadonlyArray<Station>) =>
  (sender: SenderAddress): OptedOutAt | string =>
    Result.match(ownerOf(stations, sender), {
      onFailure: ({ message }) => message,
      onSuccess: ({ account }): OptedOutAt => ({ account, sender })
    })

const describe = (
  name: string,
  { news, rows }: ImportReport,
  { refused, unused }: OptOutFile,
  places: ReadonlyArray<OptedOutAt>
): ReadonlyArray<string> => {
  const where = places.map(({ account, sender }) =>
    sender === everySender ? `every sender of ${account.name}` : `${account.name}/${sender}`
  )
  return [
    `${name}: stored ${plural(rows, "opt-out")}, ${news} new, for ${where.join(" and ")} where the row names no sender`,
    ...(unused.length > 0 ? [`Not used: ${unused.join(", ")}`] : []),
    ...refused.slice(0, 20).map((row) => `line ${row.line}: refused: ${row.why}`),
    ...(refused.length > 20 ? [`… and ${refused.length - 20} more rows refused; --json has them all`] : []),
    "`stopline plan` shows what follows; `stopline apply` or the worker carries it, as far as the guards allow."
  ]
}

export const importOptOuts = Command.make(
  "import",
  {
    config: configFlag,
    json: jsonFlag,
    account: accountFlag,
    sender: Flag.String("sender").pipe(
      Flag.withDescription(
        "The sender of rows that name none (default: every sender of every account, or of --account)"
      ),
      Flag.optional
    ),
    at: Flag.String("at").pipe(
      Flag.withDescription(
        `When the people of rows that name no time opted out: ${whenExample} (default: some time before now)`
      ),
      Flag.optional
    ),
    country: Flag.String("country").pipe(
      Flag.withDescription("Country of the file's numbers that have no +, such as US"),
      Flag.optional
    ),
    file: Argument.String("file").pipe(
      Argument.withDescription(
        "One number per line, or a CSV with a header: recipient, and if you like opted_out_at, sender, state"
      )
    )
  },
  Effect.fn(function* (flags) {
    const country = Option.getOrUndefined(flags.country)
    if (country !== undefined && !isCountry(country)) {
      return yield* new UsageError({ problem: `--country ${country}: expected two letters such as US` })
    }
    const now = yield* Clock.currentTimeMillis
    const time = yield* readTime(flags.at, now)
    yield* withFleet(
      flags.config,
      Effect.gen(function* () {
        const stations = yield* stationsFor(flags.account)
        const places = Option.isSome(flags.sender)
          ? [yield* senderFlag(stations, flags.sender.value)]
          : stations.map(({ account }): OptedOutAt => ({ account, sender: everySender }))
        const file = yield* openOptOuts(flags.file, () => lines(flags.file), {
          country,
          now,
          time,
          places,
          find: finder(stations)
        })
        const name = path.basename(flags.file)
        const report = yield* runImport({
          name,
          source: file.source,
          startedBy: whoami(),
          rows: file.rows,
          rowCount: file.count,
          refused: file.refused.length
        })
        const told = { file: name, ...report, refused: file.refused, unused: file.unused }
        yield* say(flags.json, told, describe(name, report, file, places))
        if (file.refused.length > 0) return yield* new Ends({ code: 2 })
      })
    )
  })
).pipe(
  Command.withDescription(
    "Store a file of people who opted out elsewhere. Nobody is opted in by it. The same file again is no news. Exit 2 when rows were refused"
  ),
  Command.withExamples([
    { command: "stopline import optouts.csv" },
    { command: "stopline import optouts.csv --sender +18005550100 --at 2026-01-05" }
  ])
)
