import { maskMistyped } from "@stopline/consent"
import { type LookedUp, lookUp } from "@stopline/engine"
import { Effect, Option } from "effect"
import { Argument, Command } from "effect/cli"
import { configFlag, jsonFlag, typedNumber, withFleet } from "../common.ts"
import { UsageError } from "../exit.ts"
import { moment, say } from "../say.ts"
import { sayTexting } from "../texting.ts"

const when = (notBefore: number, notAfter: number): string =>
  notBefore === notAfter
    ? moment(notAfter)
    : Number.isFinite(notBefore)
      ? `between ${moment(notBefore)} and ${moment(notAfter)}`
      : `by ${moment(notAfter)}`

const describe = (known: LookedUp): ReadonlyArray<string> => [
  known.recipient,
  "",
  ...(known.observations.length === 0 ? ["Nothing was ever said."] : ["What was said:"]),
  ...known.observations.map(
    (one) =>
      `  ${one.id}  ${one.state} ${when(one.notBefore, one.notAfter)}, at ${one.account}/${one.sender} (${one.basis}, origin ${one.origin}${one.evidence?.keyword === undefined ? "" : `, "${one.evidence.keyword}"`})`
  ),
  "",
  "What must be, and what is known to be held:",
  ...known.standings.map((one) => {
    const must = one.must === "opted-out" ? ` (because of ${one.because})` : ""
    const held =
      one.held === null
        ? "not known"
        : `${one.held} as of ${moment(one.heldAt)}${one.inDoubt ? ", in doubt since" : ""}`
    return `  ${one.account}/${one.sender} [${one.group}]: ${sayTexting[one.why]}${must}; held there: ${held}${one.refused === null ? "" : `; refused: ${one.refused}`}`
  })
]

export const history = Command.make(
  "history",
  {
    config: configFlag,
    json: jsonFlag,
    number: Argument.String("number").pipe(Argument.withDescription("The person's number, +15551230000"))
  },
  Effect.fn(function* ({ config, json, number }) {
    const recipient = Option.getOrUndefined(typedNumber(number))
    if (recipient === undefined) {
      return yield* new UsageError({ problem: `${maskMistyped(number)} is no phone number; write it as +15551230000` })
    }
    yield* withFleet(
      config,
      Effect.gen(function* () {
        const known = yield* lookUp(recipient)
        yield* say(json, known, describe(known))
      })
    )
  })
).pipe(
  Command.withDescription("All that is known about one person: what was said, what must be, what is held where"),
  Command.withExamples([{ command: "stopline history +15551230000" }])
)
