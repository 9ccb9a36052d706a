import { type ConsentState, isTollFree, mask, type OptInPolicy, parseSender } from "@stopline/consent"
import {
  attest as runAttest,
  type Attestation,
  type Attested,
  Fleet,
  type NowStands,
  writabilityOf
} from "@stopline/engine"
import { parseWhen, whenExample } from "@stopline/worker"
import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { needSoundClock } from "../clock.ts"
import { accountFlag, configFlag, jsonFlag, stationsFor, typedNumber, withFleet } from "../common.ts"
import { UsageError } from "../exit.ts"
import { moment, say } from "../say.ts"
import { sayTexting } from "../texting.ts"

const states: ReadonlyArray<ConsentState> = ["opted-out", "opted-in"]

/** Flags that cannot be read are told without their text: a person's number may stand there. */
const need = <A>(value: Option.Option<A>, problem: string): Effect.Effect<A, UsageError> =>
  Option.match(value, { onNone: () => Effect.fail(new UsageError({ problem })), onSome: Effect.succeed })

const stand = (one: NowStands): string => {
  const because = one.because === null ? "" : ` since ${moment(one.since)} (observation ${one.because})`
  const state = one.must === "opted-out" ? "opted out" : one.because === null ? "never opted out" : "opted in"
  return `${state}${because}: ${sayTexting[one.why]}`
}

/** What the person at the keyboard might expect of an opt-in, and will not get. */
const disappointments = Effect.fnUntraced(function* (said: Attestation, attested: Attested) {
  const { settings, stations } = yield* Fleet
  if (said.state === "opted-out") return []
  const [pair] = attested.stands
  const lifted = attested.stands.filter((one) => one.must === "opted-in" && one.because !== null)
  return [
    ...(pair.must === "opted-out"
      ? ["It lifts nothing: an opt-out stands that is not known to be earlier than what was attested."]
      : []),
    ...(said.reach === "group" && settings.policy !== "group" ? [onlyForThePair(settings.policy)] : []),
    ...lifted.flatMap(({ account, sender }) => {
      const station = stations.find((one) => one.account.name === account)
      const address = station?.account.senders.find((one) => one.address === sender)?.address
      if (station === undefined || address === undefined) return []
      const carrier = isTollFree(address)
        ? "the carrier may still block it; they should text START or UNSTOP"
        : undefined
      const why = writabilityOf(station.adapter)(address).optIn ?? carrier
      return why === undefined ? [] : [`${account}/${sender}: ${why}`]
    })
  ]
})

const onlyForThePair = (policy: OptInPolicy): string =>
  `Under the policy ${policy} an opt-in counts only for the sender it was said to; --group is kept, and counts once the policy is group.`

const describe = (said: Attestation, attested: Attested): ReadonlyArray<string> => [
  `${attested.repeated ? "Stored before" : "Stored"}: ${mask(said.recipient)} ${said.state} at ${attested.account}/${said.sender}, attested by ${said.by} (${said.how}).`,
  `What now stands in the group ${attested.group}:`,
  ...attested.stands.map((one) => `  ${one.account}/${one.sender}: ${stand(one)}`)
]

const next = "`stopline apply` carries what differs now; the worker does with its next round."

export const attest = Command.make(
  "attest",
  {
    config: configFlag,
    json: jsonFlag,
    account: accountFlag,
    sender: Flag.String("sender").pipe(Flag.withDescription("The sender it was said about, as in the configuration")),
    recipient: Flag.String("recipient").pipe(Flag.withDescription("The person's number, +15551230000")),
    to: Flag.Literals("to", states).pipe(Flag.withDescription("What the person said they want")),
    by: Flag.String("by").pipe(Flag.withDescription("The name of who attests it")),
    how: Flag.String("how").pipe(Flag.withDescription("How they know: 'phone call', 'letter of 5 January'")),
    at: Flag.String("at").pipe(
      Flag.withDescription(`When the person said it: ${whenExample} (default: now)`),
      Flag.optional
    ),
    group: Flag.Boolean("group").pipe(
      Flag.withDescription(
        "They spoke of the whole brand: an opt-in for every sender of the group, which counts only under the policy `group`. An opt-out always does"
      ),
      Flag.withDefault(false)
    ),
    note: Flag.String("note").pipe(Flag.withDescription("Anything else for the record"), Flag.optional)
  },
  Effect.fn(function* (flags) {
    const sender = yield* need(
      parseSender(flags.sender),
      "--sender is none; write it as +18005550100, or a short code as 20500"
    )
    const recipient = yield* need(
      typedNumber(flags.recipient),
      "--recipient is no phone number; write it as +15551230000"
    )
    const time = Option.map(flags.at, parseWhen)
    if (Option.isSome(time) && time.value === undefined) {
      return yield* new UsageError({ problem: `--at is no time; write it with its zone, as ${whenExample}` })
    }
    yield* withFleet(
      flags.config,
      Effect.gen(function* () {
        const [only] = Option.isSome(flags.account) ? yield* stationsFor(flags.account) : []
        const said: Attestation = {
          ...(only !== undefined && { account: only.account.name }),
          ...(Option.isSome(time) && time.value !== undefined && { time: time.value }),
          ...(Option.isSome(flags.note) && { note: flags.note.value }),
          sender,
          recipient,
          state: flags.to,
          reach: flags.group ? "group" : "pair",
          by: flags.by,
          how: flags.how
        }
        yield* needSoundClock(said)
        const attested = yield* runAttest(said)
        const but = yield* disappointments(said, attested)
        yield* say(
          flags.json,
          { ...attested, sender, recipient: mask(recipient), state: said.state, reach: said.reach, but },
          [...describe(said, attested), ...but, next]
        )
      })
    )
  })
).pipe(
  Command.withDescription(
    "Store, in your name, that a person opted out or in: on the phone, in a letter. It counts like their own words"
  ),
  Command.withExamples([
    {
      command:
        "stopline attest --sender +18005550100 --recipient +15551230001 --to opted-out --by 'Jane Doe' --how 'phone call'"
    }
  ])
)
