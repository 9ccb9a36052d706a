/** What must be so in a scenario: at the providers, in the ledger, and in the plan. */
import { mask, type Member, type Recipient } from "@stopline/consent"
import type { Plan } from "@stopline/engine"
import { history, openHalts } from "@stopline/ledger"
import { Effect, Schema } from "effect"
import { Count, Quoted } from "./gaps.ts"
import { planning } from "./operator.ts"
import type { Run } from "./run.ts"
import { sentence, type Sentence } from "./sentence.ts"
import { crowdsOf, nameIn, of, type Setting } from "./setting.ts"
import { blocked, intended, type Step } from "./step.ts"
import { settings } from "./worker.ts"

export const factSentences = (setting: Setting): ReadonlyArray<Sentence<Step>> => [
  ...aboutPeople(setting),
  ...aboutPlans,
  ...aboutAccounts(setting)
]

const unless = (so: boolean, instead: string): Effect.Effect<void, string> => (so ? Effect.void : Effect.fail(instead))

const aboutPeople = (setting: Setting): ReadonlyArray<Sentence<Step>> => {
  const { people, places } = setting
  const crowds = crowdsOf(setting)
  const [crowd, sender] = [nameIn(crowds), nameIn(places)]
  const each = (
    shape: string,
    look: (run: Run, person: Recipient, at: Member) => Effect.Effect<string>,
    wanted: string
  ): Sentence<Step> =>
    sentence(
      shape,
      [crowd, sender],
      ([who, at]): Step =>
        (run) =>
          Effect.forEach(
            of(crowds, who),
            (person) =>
              Effect.flatMap(look(run, person, of(places, at)), (is) => unless(is === wanted, `${mask(person)} ${is}`)),
            { discard: true }
          )
    )
  return [
    each("{people} is blocked at {sender}", atProvider, "is blocked there"),
    each("{people} is not blocked at {sender}", atProvider, "is not blocked there"),
    each("{people} must not be texted from {sender}", inLedger, "must not be texted, by the ledger"),
    each("{people} may be texted from {sender}", inLedger, "may be texted, by the ledger"),
    sentence(
      "The ledger has {number} observation(s) of {person}",
      [Count, nameIn(people)],
      ([count, who]): Step =>
        (run) =>
          Effect.flatMap(told(run, of(people, who)), ({ observations }) =>
            unless(
              observations.length === count,
              `it has ${observations.length}: ${observations.map(({ basis, state }) => `${state} (${basis})`).join(", ")}`
            )
          )
    )
  ]
}

/** What the provider really holds. */
const atProvider = (run: Run, person: Recipient, at: Member) =>
  Effect.map(blocked(person, at)(run), (held) => (held ? "is blocked there" : "is not blocked there"))

/** What must be, by the ledger. */
const inLedger = (run: Run, person: Recipient, { account, sender }: Member) =>
  Effect.map(told(run, person), ({ standings }) => {
    const stands = standings.find((one) => one.account === account && one.sender === sender)
    if (stands === undefined) return "has no standing there: the sender speaks for no brand"
    return stands.must === "opted-out" ? "must not be texted, by the ledger" : "may be texted, by the ledger"
  })

const told = (run: Run, person: Recipient) => Effect.promise(() => run.worker(0).inspect(history(person, run.policy)))

/** The plan as a round of this moment would make it. */
const planned = (run: Run) => Effect.promise(() => run.worker(0).inspect(planning(settings.confirmMs)))

/** How many items of a plan are described in such words. */
const counted = (of: ReadonlyArray<Readonly<Record<string, number>>>, words: string): number =>
  of
    .flatMap((counts) => Object.entries(counts))
    .reduce((sum, [description, count]) => (description.includes(words) ? sum + count : sum), 0)

const describe = ({ accounts }: Plan): string =>
  JSON.stringify(accounts.map(({ account, byReason, withheld }) => ({ account, changes: byReason, withheld })))

const aboutPlans: ReadonlyArray<Sentence<Step>> = [
  sentence(
    "The plan is empty",
    [],
    (): Step => (run) => Effect.flatMap(planned(run), (plan) => unless(plan.changes === 0, describe(plan)))
  ),
  sentence(
    "The plan withholds nothing",
    [],
    (): Step => (run) => Effect.flatMap(planned(run), (plan) => unless(plan.withheld === 0, describe(plan)))
  ),
  sentence(
    "The plan has {number} change(s): {words}",
    [Count, Quoted],
    ([count, words]): Step =>
      (run) =>
        Effect.flatMap(planned(run), (plan) => {
          const changes = plan.accounts.map(({ byReason }) => byReason)
          return unless(counted(changes, words) === count && plan.changes === count, describe(plan))
        })
  ),
  sentence(
    "The plan withholds {number}: {words}",
    [Count, Quoted],
    ([count, words]): Step =>
      (run) =>
        Effect.flatMap(planned(run), (plan) => {
          const withheld = plan.accounts.map((one) => one.withheld)
          return unless(counted(withheld, words) === count && plan.withheld === count, describe(plan))
        })
  )
]

/** Requests that write. */
const writing = new Set(["add", "remove", "bulk-assign"])

const aboutAccounts = ({ accounts, places }: Setting): ReadonlyArray<Sentence<Step>> => {
  const open = (shape: string, wanted: boolean) =>
    sentence(
      shape,
      [nameIn(places)],
      ([at]): Step =>
        (run) =>
          Effect.flatMap(intended(of(places, at))(run), (is) =>
            unless(is === wanted, is ? "one is on its way" : "none is on its way")
          )
    )
  const account = Schema.Literals(accounts.map(({ name }) => name))
  return [
    sentence(
      "The halt {kind} stands at {account}",
      [Quoted, account],
      ([kind, at]): Step =>
        (run) =>
          Effect.flatMap(halts(run), (open) =>
            unless(
              open.some((one) => one.account === at && one.kind === kind),
              open.length === 0 ? "no halt stands" : open.map(({ message }) => message).join("; ")
            )
          )
    ),
    sentence(
      "No halt stands",
      [],
      (): Step => (run) =>
        Effect.flatMap(halts(run), (open) => unless(open.length === 0, open.map(({ message }) => message).join("; ")))
    ),
    open("A write to {sender} has no outcome yet", true),
    open("Every write to {sender} has an outcome", false),
    sentence(
      "{account} was written to {number} time(s)",
      [account, Count],
      ([at, count]): Step =>
        (run) =>
          Effect.flatMap(Effect.orDie(run.world.log(at)), (entries) => {
            const writes = entries.filter(({ operation }) => writing.has(operation))
            return unless(writes.length === count, `it was written to ${writes.length} times`)
          })
    ),
    sentence(
      "All that was to go wrong at {account} has gone wrong",
      [account],
      ([at]): Step =>
        (run) =>
          Effect.flatMap(Effect.orDie(run.world.faults(at)), (left) =>
            unless(left.length === 0, `still to come: ${left.map(({ kind }) => kind).join(", ")}`)
          )
    ),
    sentence("All comes to rest, and every law is kept", [], (): Step => (run) => Effect.promise(() => run.quieten()))
  ]
}

const halts = (run: Run) => Effect.promise(() => run.worker(0).inspect(openHalts()))
