import { isCountry, mask, parseSender } from "@stopline/consent"
import {
  backfill as runBackfill,
  type BackfillReport,
  Fleet,
  type Station,
  type SweepReport,
  type WalkReport
} from "@stopline/engine"
import { openHalts, settleAll } from "@stopline/ledger"
import { Loaded, peopleOf } from "@stopline/worker"
import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { accountFlag, configFlag, jsonFlag, stationsFor, whoami, withFleet } from "../common.ts"
import { Ends, UsageError } from "../exit.ts"
import { type BadRow, countPeople, openRecipients } from "../recipients.ts"
import { plural, say } from "../say.ts"
import { backfillOnWorkers } from "../workers.ts"

const walked = (walk: WalkReport): string => {
  const where = walk.sender === undefined ? walk.account : `${walk.account}/${walk.sender}`
  const resumed = walk.resumed ? ", going on where an earlier run stopped" : ""
  const problems = walk.problems > 0 ? `, ${plural(walk.problems, "row")} not understood` : ""
  return `${where}: read ${plural(walk.rows, "row")} on ${plural(walk.pages, "page")}${resumed}, ${walk.news} new${problems}`
}

const checked = (account: string, checks: ReadonlyArray<SweepReport>): string => {
  const asked = checks.reduce((sum, check) => sum + check.asked, 0)
  const news = checks.reduce((sum, check) => sum + check.news, 0)
  const unanswered = checks.reduce((sum, check) => sum + check.unanswered, 0)
  return `${account}: asked about ${plural(asked, "pair")}, ${news} new${unanswered > 0 ? `, ${unanswered} without an answer` : ""}`
}

const describe = (report: BackfillReport): ReadonlyArray<string> => {
  switch (report._tag) {
    case "Walked":
      return report.walks.map(walked)
    case "Checked":
      return [checked(report.account, report.checks)]
    case "Blind":
      return [
        report.canBeAsked
          ? `${report.account}: cannot be listed (${report.why}). Name the people to ask about with --recipients FILE`
          : `${report.account}: can neither be listed nor asked (${report.why}). Tell it with \`stopline import\` what your own applications have kept`
      ]
  }
}

const senderIn = Effect.fnUntraced(function* (stations: ReadonlyArray<Station>, text: string) {
  const sender = Option.getOrUndefined(parseSender(text))
  const owners = stations.filter((station) => station.account.senders.some((one) => one.address === sender))
  if (sender === undefined || owners.length === 0) {
    return yield* new UsageError({ problem: `--sender ${mask(text)}: no account chosen here has this sender` })
  }
  return { sender, owners }
})

/** The people that the configuration names, when the command line names none. */
const configuredPeople = Effect.gen(function* () {
  const people = yield* peopleOf(yield* Loaded)
  return people === undefined ? undefined : yield* countPeople(people.rows)
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
        "People to ask about where a provider cannot list: one number per line, or a CSV with the number first. Left out: the people of the configuration"
      ),
      Flag.optional
    ),
    country: Flag.String("country").pipe(
      Flag.withDescription("Country of the file's numbers that have no +, such as US"),
      Flag.optional
    ),
    onWorkers: Flag.Boolean("on-workers").pipe(
      Flag.withDescription("Let the workers do it that run on this ledger, one account each, and return at once"),
      Flag.withDefault(false)
    ),
    follow: Flag.Boolean("follow").pipe(
      Flag.withDescription("With --on-workers: stay, and show how far they are until they are done"),
      Flag.withDefault(false)
    )
  },
  Effect.fn(function* (flags) {
    const country = Option.getOrUndefined(flags.country)
    if (country !== undefined && !isCountry(country)) {
      return yield* new UsageError({ problem: `--country ${country}: expected two letters such as US` })
    }
    if (flags.onWorkers && Option.isSome(flags.recipients)) {
      return yield* new UsageError({
        problem: "--recipients: the workers do not have this file; name it in their configuration, as people"
      })
    }
    const named = Option.isSome(flags.recipients) ? yield* openRecipients(flags.recipients.value, country) : undefined
    yield* withFleet(
      flags.config,
      Effect.gen(function* () {
        const chosen = yield* stationsFor(flags.account)
        const only = Option.isSome(flags.sender) ? yield* senderIn(chosen, flags.sender.value) : undefined
        if (flags.onWorkers) {
          const stations = only?.owners ?? chosen
          const { follow, json } = flags
          return yield* backfillOnWorkers({ stations, sender: only?.sender, startedBy: whoami(), follow, json })
        }
        const file = named ?? (yield* configuredPeople)
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
        const halts = (yield* openHalts()).map((halt) => halt.message)
        yield* tell(flags.json, { reports, failures, badRows: file?.bad ?? [], halts })
      })
    )
  })
).pipe(
  Command.withDescription(
    "Read all there is, once: lists where a provider has one, checks of the people in a file where it has none. Goes on where it was when it was stopped"
  ),
  Command.withExamples([
    { command: "stopline backfill" },
    { command: "stopline backfill --account contoso --recipients contacts.csv --country US" },
    { command: "stopline backfill --on-workers --follow", description: "By the workers; it survives this terminal" }
  ])
)

interface Told {
  readonly reports: ReadonlyArray<BackfillReport>
  readonly failures: ReadonlyArray<string>
  readonly badRows: ReadonlyArray<BadRow>
  readonly halts: ReadonlyArray<string>
}

const tell = Effect.fnUntraced(function* (json: boolean, told: Told) {
  const { badRows, failures, halts, reports } = told
  yield* say(json, told, [
    ...reports.flatMap(describe),
    ...failures,
    ...badRows.slice(0, 20).map((row) => `line ${row.line}: ${row.text} is no phone number; left out`),
    ...(badRows.length > 20 ? [`… and ${badRows.length - 20} more bad rows; --json has them all`] : []),
    ...halts
  ])
  if (failures.length > 0) return yield* new Ends({ code: 1 })
  if (badRows.length + halts.length > 0 || reports.some(leavesDoubt)) return yield* new Ends({ code: 2 })
})

/** Something was read that nobody could understand, or asked that nobody answered; or nobody was named to ask about. */
const leavesDoubt = (report: BackfillReport): boolean =>
  (report._tag === "Blind" && report.canBeAsked) ||
  (report._tag === "Walked" && report.walks.some((walk) => walk.problems > 0 || walk.halted)) ||
  (report._tag === "Checked" && report.checks.some((check) => check.unanswered > 0))
