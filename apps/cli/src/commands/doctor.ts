import { isTollFree } from "@stopline/consent"
import { Fleet, paced, sendersOf, type Station } from "@stopline/engine"
import { coverage, openHalts } from "@stopline/ledger"
import type { Capability } from "@stopline/provider"
import { Effect } from "effect"
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
  readonly stalest: string
}

interface Checkup {
  readonly account: string
  readonly vendor: string
  readonly capabilities: Readonly<Record<string, string>>
  readonly senders: ReadonlyArray<SenderCheckup>
  /** What cannot be seen here, and the remedy. */
  readonly blindSpots: ReadonlyArray<string>
}

const words = (capability: Capability<unknown>): string =>
  capability._tag === "Can"
    ? "yes"
    : capability._tag === "Cannot"
      ? `no: ${capability.reason}${capability.see === undefined ? "" : ` (${capability.see})`}`
      : `not yet: ${capability.reason}`

const blindSpots = ({ account, adapter }: Station): ReadonlyArray<string> => [
  ...(adapter.list._tag !== "Can"
    ? [
        `an opt-out made at ${account.name} before Stopline listened, by a person nobody names, cannot be seen: it has no list. Remedy: stopline backfill --account ${account.name} --recipients contacts.csv`
      ]
    : []),
  ...(adapter.events._tag !== "Can"
    ? [`${account.name} does not tell of events (${adapter.events.reason}): a STOP there is seen only when it is read`]
    : [])
]

const examine = Effect.fnUntraced(function* (station: Station) {
  const { account, adapter } = station
  const senders = yield* Effect.forEach(sendersOf(station), (sender) =>
    Effect.gen(function* () {
      const probe = yield* paced(adapter, "probe", adapter.probe(sender.address)).pipe(
        Effect.as("ok"),
        Effect.catchTag("ProviderError", (error) => Effect.succeed(error.message))
      )
      const { known, stalestAt } = yield* coverage(sender)
      const tollFree = isTollFree(sender.address)
      return { sender: sender.address, tollFree, probe, known, stalest: moment(stalestAt) } satisfies SenderCheckup
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
    blindSpots: blindSpots(station)
  } satisfies Checkup
})

const describe = (checkup: Checkup): ReadonlyArray<string> => [
  `${checkup.account} (${checkup.vendor})`,
  ...Object.entries(checkup.capabilities).map(([name, answer]) => `  ${name}: ${answer}`),
  ...checkup.senders.map(
    (one) =>
      `  ${one.sender}${one.tollFree ? " (toll-free)" : ""}: ${one.probe === "ok" ? "answers" : one.probe}; ${plural(one.known, "person", "people")} known${one.known > 0 ? `, stalest ${one.stalest}` : ""}`
  ),
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
        const checkups = yield* Effect.forEach(stations, examine, { concurrency: "unbounded" })
        const halts = (yield* openHalts()).map((halt) => halt.message)
        yield* say(json, { ledger: "ok", accounts: checkups, halts }, [
          "ledger: answers",
          ...checkups.flatMap(describe),
          ...halts
        ])
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
