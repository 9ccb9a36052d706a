import { isCountry, parseSender } from "@stopline/consent"
import { backfill as runBackfill, type BackfillReport, Fleet, type Station } from "@stopline/engine"
import { settleAll } from "@stopline/ledger"
import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { accountFlag, configFlag, jsonFlag, stationsFor, whoami, withFleet } from "../common.ts"
import { Ends, UsageError } from "../exit.ts"
import { openRecipients, type RecipientsFile } from "../recipients.ts"
import { plural, say } from "../say.ts"

const describe = (report: BackfillReport): ReadonlyArray<string> => {
  switch (report._tag) {
    case "Walked":
      return report.walks.map(
        (walk) =>
          `${walk.account}${walk.sender === undefined ? "" : `/${walk.sender}`}: read ${plural(walk.rows, "row")} on ${plural(walk.pages, "page")}${walk.resumed ? ", going on where an earlier run stopped" : ""}, ${walk.news} new${walk.problems > 0 ? `, ${plural(walk.problems, "row")} not understood` : ""}`
      )
    case "Checked":
      return report.checks.map(
        (check) =>
          `${check.account}: asked about ${plural(check.asked, "pair")}, ${check.news} new${check.unanswered > 0 ? `, ${check.unanswered} without an answer` : ""}`
      )
    case "Blind":
      return [
        `${report.account}: cannot be listed (${report.why}). Name the people to ask about with --recipients FILE`
      ]
  }
}

const senderIn = Effect.fnUntraced(function* (stations: ReadonlyArray<Station>, text: string) {
  const sender = Option.getOrUndefined(parseSender(text))
  const owners = stations.filter((station) => station.account.senders.some((one) => one.address === sender))
  if (sender === undefined || owners.length === 0) {
    return yield* new UsageError({ problem: `--sender ${text}: no account chosen here has this sender` })
  }
  return { sender, owners }
})

export const backfill = Command.make(
  "backfill",
  {
    config: configFlag,
    json: jsonFlag,
    account: accountFlag,
    sender: Flag.String("sender").pipe(Flag.withDescription("Only this sender"), Flag.optional),
    recipients: Flag.String("recipients").pipe(
      Flag.withDescription(
        "People to ask about where a provider cannot list: one number per line, or a CSV with the number first"
      ),
      Flag.optional
    ),
    country: Flag.String("country").pipe(
      Flag.withDescription("Country of the file's numbers that have no +, such as US"),
      Flag.optional
    )
  },
  Effect.fn(function* (flags) {
    const country = Option.getOrUndefined(flags.country)
    if (country !== undefined && !isCountry(country)) {
      return yield* new UsageError({ problem: `--country ${country}: expected two letters such as US` })
    }
    const file = Option.isSome(flags.recipients) ? yield* openRecipients(flags.recipients.value, country) : undefined
    yield* withFleet(
      flags.config,
      Effect.gen(function* () {
        const chosen = yield* stationsFor(flags.account)
        const only = Option.isSome(flags.sender) ? yield* senderIn(chosen, flags.sender.value) : undefined
        const reports: Array<BackfillReport> = []
        const failures: Array<string> = []
        for (const station of only?.owners ?? chosen) {
          const request = {
            startedBy: whoami(),
            ...(only !== undefined && { sender: only.sender }),
            ...(file !== undefined && { recipients: file.recipients, recipientCount: file.count })
          }
          // One account that cannot be read does not keep the others from being read.
          yield* runBackfill(station, request).pipe(
            Effect.map((report) => reports.push(report)),
            Effect.catchTag(["ProviderError", "LaneBusy"], (error) => Effect.sync(() => failures.push(error.message)))
          )
        }
        const { settings } = yield* Fleet
        yield* settleAll(settings.policy)
        yield* tell(flags.json, reports, failures, file)
      })
    )
  })
).pipe(
  Command.withDescription(
    "Read all there is, once: lists where a provider has one, checks of the people in a file where it has none. Goes on where it was when it was stopped"
  ),
  Command.withExamples([
    { command: "stopline backfill" },
    { command: "stopline backfill --account contoso --recipients contacts.csv --country US" }
  ])
)

const tell = Effect.fnUntraced(function* (
  json: boolean,
  reports: ReadonlyArray<BackfillReport>,
  failures: ReadonlyArray<string>,
  file: RecipientsFile | undefined
) {
  const bad = file?.bad ?? []
  yield* say(json, { reports, failures, badRows: bad }, [
    ...reports.flatMap(describe),
    ...failures,
    ...bad.slice(0, 20).map((row) => `line ${row.line}: ${row.text} is no phone number; left out`),
    ...(bad.length > 20 ? [`… and ${bad.length - 20} more bad rows; --json has them all`] : [])
  ])
  if (failures.length > 0) return yield* new Ends({ code: 1 })
  const problems = reports.some(
    (report) => report._tag === "Walked" && report.walks.some((walk) => walk.problems > 0 || walk.halted)
  )
  if (bad.length > 0 || problems) return yield* new Ends({ code: 2 })
})
