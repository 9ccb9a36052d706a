import { clearHalts, type Halt, openHalts } from "@stopline/ledger"
import { Clock, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { accountFlag, configFlag, jsonFlag, stationsFor, whoami, withFleet } from "../common.ts"
import { UsageError } from "../exit.ts"
import { plural, say } from "../say.ts"

const line = (halt: Halt): string => `${halt.id}  ${halt.message}`

export const resume = Command.make(
  "resume",
  {
    config: configFlag,
    json: jsonFlag,
    account: accountFlag,
    by: Flag.String("by").pipe(
      Flag.withDescription("Your name, for the record (default: the user who runs this)"),
      Flag.optional
    ),
    all: Flag.Boolean("all").pipe(Flag.withDescription("Clear every halt"), Flag.withDefault(false)),
    ids: Argument.Int("halt").pipe(Argument.variadic())
  },
  Effect.fn(function* ({ config, json, account, by, all, ids }) {
    yield* withFleet(
      config,
      Effect.gen(function* () {
        const open = yield* openHalts()
        if (!all && ids.length === 0 && Option.isNone(account)) {
          yield* say(
            json,
            { open },
            open.length === 0
              ? ["Nothing is halted."]
              : [...open.map(line), "Clear one by its number, or all of an account with --account"]
          )
          return
        }
        const unknown = ids.filter((id) => !open.some((halt) => halt.id === id))
        if (unknown.length > 0) {
          return yield* new UsageError({
            problem: `no open halt has the number ${unknown.join(", ")}; \`stopline resume\` lists them`
          })
        }
        // One that is no longer configured can still be halted.
        if (!open.some((halt) => halt.account === Option.getOrUndefined(account))) yield* stationsFor(account)
        const which = {
          ...(ids.length > 0 && { ids }),
          ...(Option.isSome(account) && { account: account.value })
        }
        const cleared = yield* clearHalts(which, Option.getOrElse(by, whoami), yield* Clock.currentTimeMillis)
        yield* say(json, { cleared }, [`Cleared ${plural(cleared.length, "halt")}; the next round looks again.`])
      })
    )
  })
).pipe(
  Command.withDescription("List what is halted, or clear halts after you have looked"),
  Command.withExamples([{ command: "stopline resume" }, { command: "stopline resume 3 --by 'Ada Lovelace'" }])
)
