import { isTollFree } from "@stopline/consent"
import { Fleet, paced, sendersOf, type Station } from "@stopline/engine"
import { coverage, lastEnded, openHalts, unlisted, type Unlisted } from "@stopline/ledger"
import type { Capability } from "@stopline/provider"
import { clockOff, clockWords, Gathered } from "@stopline/worker"
import { Clock, Duration, Effect, Schema } from "effect"
import { Command } from "effect/cli"
import { configFlag, jsonFlag, withFleet } from "../common.ts"
import { Ends } from "../exit.ts"
import { moment, plural, say } from "../say.ts"

interface SenderCheckup {
  readonly sender: string
  readonly tollFree: boolean
  /** `ok`, or what is wrong. */
  readonly probe: string
  readonly known: number
  /** Nothing is known of what the provider holds for them. */
  readonly neverAnswered: number
  readonly askedInADay: number
  readonly stalest: string
}

interface Checkup {
  readonly account: string
  readonly vendor: string
  readonly capabilities: Readonly<Record<string, string>>
  readonly senders: ReadonlyArray<SenderCheckup>
  /** Senders that the provider named and no account lists. */
  readonly unlisted: ReadonlyArray<Pick<Unlisted, "optedOut" | "more"> & { readonly sender: string }>
  /** What cannot be seen here, and the remedy. */
  readonly blindSpots: ReadonlyArray<string>
}

const words = (capability: Capability<unknown>): string =>
  capability._tag === "Can"
    ? "yes"
    : capability._tag === "Cannot"
      ? `no: ${capability.reason}${capability.see === undefined ? "" : ` (${capability.see})`}`
      : `not yet: ${capability.reason}`

/** Where nobody can be asked about, a backfill finds nothing. */
const remedy = ({ account, adapter }: Station): string =>
  adapter.check._tag === "Can"
    ? `stopline backfill --account ${account.name} --recipients contacts.csv`
    : "stopline import, with the opt-outs that your own applications have kept"

const blindSpots = (station: Station): ReadonlyArray<string> => {
  const { account, adapter } = station
  return [
    ...(adapter.list._tag !== "Can"
      ? [
          `an opt-out made at ${account.name} before Stopline listened, by a person nobody names, cannot be seen: it has no list. Remedy: ${remedy(station)}`
        ]
      : []),
    ...(adapter.events._tag !== "Can"
      ? [
          `${account.name} does not tell of events (${adapter.events.reason}): a STOP there is seen only when it is read`
        ]
      : [])
  ]
}

const dayMs = Duration.toMillis(Duration.days(1))

/** How much is known where one can only ask, and how old it is. */
const ageOf = ({ askedInADay, known, neverAnswered, stalest }: SenderCheckup): string => {
  if (known === 0) return ""
  const never = neverAnswered === 0 ? "" : `, ${neverAnswered} never answered for`
  return `, ${askedInADay} asked about in the last day, stalest ${stalest}${never}`
}

/** The people that the configuration names, as they were read last. */
const lastGathered = Effect.gen(function* () {
  const last = yield* lastEnded("people", null)
  const counts = Schema.decodeUnknownOption(Gathered)(last?.counts)
  if (last === undefined || counts._tag === "None") return undefined
  return { at: moment(last.startedAt), outcome: last.outcome ?? "unknown", ...counts.value }
})

type LastGathered = Effect.Success<typeof lastGathered>

const describePeople = (people: LastGathered): ReadonlyArray<string> =>
  people === undefined
    ? []
    : [
        `people: ${people.read} read at ${people.at} (${people.outcome}), ${plural(people.unreadable, "row")} not understood`,
        ...people.examples.map(({ row, text }) => `  row ${row}: ${text} is no phone number`)
      ]

const examine = Effect.fnUntraced(function* (station: Station, heardOf: ReadonlyArray<Unlisted>) {
  const { account, adapter } = station
  const senders = yield* Effect.forEach(sendersOf(station), (sender) =>
    Effect.gen(function* () {
      const probe = yield* paced(adapter, "probe", adapter.probe(sender.address)).pipe(
        Effect.as("ok"),
        Effect.catchTag("ProviderError", (error) => Effect.succeed(error.message))
      )
      const since = (yield* Clock.currentTimeMillis) - dayMs
      const { askedSince, known, neverAnswered, stalestAt } = yield* coverage(sender, since)
      return {
        sender: sender.address,
        tollFree: isTollFree(sender.address),
        probe,
        known,
        neverAnswered,
        askedInADay: askedSince,
        stalest: stalestAt === Number.NEGATIVE_INFINITY ? "never" : moment(stalestAt)
      } satisfies SenderCheckup
    })
  )
  return {
    account: account.name,
    vendor: adapter.vendor,
    capabilities: {
      list: words(adapter.list),
      check: words(adapter.check),
      "write opt-outs": words(adapter.write.optOut),
      "write opt-ins": words(adapter.write.optIn),
      events: words(adapter.events),
      evidence: words(adapter.evidence)
    },
    senders,
    unlisted: heardOf
      .filter(({ accountId }) => accountId === account.id)
      .map(({ address, more, optedOut }) => ({ sender: address, optedOut, more })),
    blindSpots: blindSpots(station)
  } satisfies Checkup
})

const describeUnlisted = (account: string, { more, optedOut, sender }: Checkup["unlisted"][number]): string => {
  const people = `${more ? "at least " : ""}${plural(optedOut, "person", "people")}`
  return `heard of ${sender}, which no account lists: ${people} opted out there, and nobody else is told; add it to the senders of ${account}, or of another account`
}

const describe = (checkup: Checkup): ReadonlyArray<string> => [
  `${checkup.account} (${checkup.vendor})`,
  ...Object.entries(checkup.capabilities).map(([name, answer]) => `  ${name}: ${answer}`),
  ...checkup.senders.map(
    (one) =>
      `  ${one.sender}${one.tollFree ? " (toll-free)" : ""}: ${one.probe === "ok" ? "answers" : one.probe}; ${plural(one.known, "person", "people")} known${ageOf(one)}`
  ),
  ...checkup.unlisted.map((one) => `  ${describeUnlisted(checkup.account, one)}`),
  ...checkup.blindSpots.map((spot) => `  blind spot: ${spot}`)
]

export const doctor = Command.make(
  "doctor",
  { config: configFlag, json: jsonFlag },
  Effect.fn(function* ({ config, json }) {
    yield* withFleet(
      config,
      Effect.gen(function* () {
        const { stations } = yield* Fleet
        const heardOf = yield* unlisted(stations.map(({ account }) => account.id))
        const checkups = yield* Effect.forEach(stations, (station) => examine(station, heardOf), {
          concurrency: "unbounded"
        })
        const halts = (yield* openHalts()).map((halt) => halt.message)
        const people = yield* lastGathered
        const clock = yield* clockOff()
        yield* say(
          json,
          { ledger: "ok", clockOff: clock, accounts: checkups, halts, ...(people !== undefined && { people }) },
          [
            "ledger: answers",
            ...(clock === 0 ? [] : [`clock: ${clockWords(clock)}`]),
            ...checkups.flatMap(describe),
            ...describePeople(people),
            ...halts
          ]
        )
        const failing = checkups.some((checkup) => checkup.senders.some((sender) => sender.probe !== "ok"))
        if (failing) return yield* new Ends({ code: 1 })
        if (halts.length > 0) return yield* new Ends({ code: 2 })
      })
    )
  })
).pipe(
  Command.withDescription(
    "Ask every account whether it answers, say what each can and cannot do, and what cannot be seen"
  ),
  Command.withExamples([{ command: "stopline doctor" }, { command: "stopline doctor --config production.yaml --json" }])
)
