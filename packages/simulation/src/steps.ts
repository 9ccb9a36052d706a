/** What people, colleagues, providers and workers do in a scenario, each in a sentence. */
import { policies, type Recipient } from "@stopline/consent"
import type { Fault } from "@stopline/sandbox"
import { Duration, Schema } from "effect"
import { factSentences } from "./facts.ts"
import { Count, Quoted } from "./gaps.ts"
import type { Action } from "./action.ts"
import { sentence, type Sentence } from "./sentence.ts"
import { crowdsOf, nameIn, of, type Setting, unspoken } from "./setting.ts"
import { act, after, blocked, intended, letThrough, pastFaults, type Step } from "./step.ts"

const Worker = Schema.Literals(["1", "2"])
const workerOf = (name: string): number => Number(name) - 1

/** Every sentence that a step can be. */
export const stepSentences = (setting: Setting): ReadonlyArray<Sentence<Step>> => [
  ...deeds(setting),
  ...mishaps(setting),
  ...work(setting),
  ...factSentences(setting)
]

/** People and colleagues. */
const deeds = (setting: Setting): ReadonlyArray<Sentence<Step>> => {
  const { accounts, brands, places } = setting
  const crowds = crowdsOf(setting)
  const joiners = unspoken(setting)
  const [people, sender] = [nameIn(crowds), nameIn(places)]
  const account = Schema.Literals(accounts.map(({ name }) => name))
  const each = (who: string, deed: (person: Recipient) => Action): Step => act(...of(crowds, who).map(deed))
  const texts = ([who, words, to]: readonly [string, string, string]): Step =>
    each(who, (person) => ({ do: "text", person, ...of(places, to), words }))
  return [
    sentence("{people} texts {words} to {sender}", [people, Quoted, sender], texts),
    sentence(
      "{people} texts {words} to {sender} the moment we are about to write there",
      [people, Quoted, sender],
      (said) => after(intended(of(places, said[2])), texts(said))
    ),
    sentence(
      "{people} texts {words} to {sender} the moment we are told there to slow down",
      [people, Quoted, sender],
      (said) => after(pastFaults(of(places, said[2]).account), texts(said))
    ),
    sentence(
      "{people} texts {words} to {sender} the moment {account} asks us to slow down",
      [people, Quoted, sender, account],
      ([who, words, to, at]) => after(pastFaults(at), texts([who, words, to]))
    ),
    sentence(
      "{person} texts {words} to {sender} the moment {person} is blocked there",
      [nameIn(setting.people), Quoted, sender, nameIn(setting.people)],
      ([who, words, to, blockedOne]) =>
        after(blocked(of(setting.people, blockedOne), of(places, to)), texts([who, words, to]))
    ),
    sentence(
      "{person} texts {words} to {sender} the moment {person} is let through there",
      [nameIn(setting.people), Quoted, sender, nameIn(setting.people)],
      ([who, words, to, one]) => after(letThrough(of(setting.people, one), of(places, to)), texts([who, words, to]))
    ),
    sentence("A colleague opts {people} out at {sender}", [people, sender], ([who, at]) =>
      each(who, (person) => ({ do: "edit", person, ...of(places, at), to: "opt-out" }))
    ),
    sentence("A colleague opts {people} in at {sender}", [people, sender], ([who, at]) =>
      each(who, (person) => ({ do: "edit", person, ...of(places, at), to: "opt-in" }))
    ),
    sentence("A colleague opts {people} out at every sender of {account}", [people, account], ([who, at]) =>
      each(who, (person) => ({ do: "edit", person, account: at, sender: "*", to: "opt-out" }))
    ),
    sentence("An operator attests that {people} opted out at {sender}", [people, sender], ([who, at]) =>
      each(who, (person) => ({ do: "attest", person, ...of(places, at), to: "opted-out" }))
    ),
    sentence("An operator attests that {people} opted in at {sender}", [people, sender], ([who, at]) =>
      each(who, (person) => ({ do: "attest", person, ...of(places, at), to: "opted-in" }))
    ),
    sentence(
      "{sender} moves to the brand {brand}",
      [sender, Schema.Literals(brands.map(({ name }) => name))],
      ([at, to]) => act({ do: "move", sender: of(places, at), to })
    ),
    sentence("{sender} leaves its brand, and worker 2 goes on as before", [sender], ([at]) =>
      act({ do: "move", sender: of(places, at), to: undefined, isRolling: true })
    ),
    sentence("The policy becomes {policy}", [Schema.Literals(policies)], ([policy]) => act({ do: "reform", policy })),
    sentence("{sender} joins the brand", [nameIn(joiners)], () => act({ do: "join" })),
    sentence("An operator approves the plan", [], () => act({ do: "approve" })),
    sentence("An operator clears the halts", [], () => act({ do: "resume" }))
  ]
}

/** What goes wrong at a provider, so many times. */
const mishaps = ({ accounts, people }: Setting): ReadonlyArray<Sentence<Step>> => {
  const account = Schema.Literals(accounts.map(({ name }) => name))
  const whole = (shape: string, fault: (common: { readonly account: string; readonly times: number }) => Fault) =>
    sentence(shape, [account, Count], ([at, times]) => act({ do: "fault", fault: fault({ account: at, times }) }))
  const item = (shape: string, kind: "item-refused" | "item-error" | "invalid-input") =>
    sentence(shape, [account, nameIn(people), Count], ([at, who, times]) =>
      act({ do: "fault", fault: { kind, account: at, recipient: of(people, who), times } })
    )
  return [
    whole("{account} loses {number} event(s)", (at) => ({ ...at, kind: "lost-events" })),
    whole("{account} sends {number} event(s) twice", (at) => ({ ...at, kind: "duplicate-events" })),
    whole("{account} does {number} write(s) of ours and its answer is lost", (at) => ({
      ...at,
      kind: "drop-after-apply"
    })),
    whole("{account} answers with a page of HTML {number} time(s)", (at) => ({ ...at, kind: "html-200" })),
    whole("{account} asks us to slow down {number} time(s)", (at) => ({ ...at, kind: "throttle" })),
    sentence(
      "{account} asks us {number} time(s) to wait {time}",
      [account, Count, Schema.DurationFromString],
      ([at, times, time]) =>
        act({
          do: "fault",
          fault: { kind: "throttle", account: at, form: "seconds", retryAfter: Duration.toSeconds(time), times }
        })
    ),
    whole("{account} shows half of a page as its last page {number} time(s)", (at) => ({ ...at, kind: "short-list" })),
    whole("{account} forgets what page comes next {number} time(s)", (at) => ({ ...at, kind: "forgotten-token" })),
    sentence(
      "{account} answers from a copy of {time} ago {number} time(s)",
      [account, Schema.DurationFromString, Count],
      ([at, time, times]) =>
        act({ do: "fault", fault: { kind: "stale-read", account: at, ms: Duration.toMillis(time), times } })
    ),
    sentence("The next {number} event(s) come(s) {time} late", [Count, Schema.DurationFromString], ([times, time]) =>
      act({ do: "late", times, ms: Duration.toMillis(time) })
    ),
    item("{account} refuses {person} {number} time(s)", "item-refused"),
    item("{account} refuses any request with {person} in it {number} time(s)", "invalid-input"),
    item("{account} fails on {person} {number} time(s)", "item-error")
  ]
}

/** Workers and time. */
const work = ({ accounts, people, places }: Setting): ReadonlyArray<Sentence<Step>> => {
  const [person, sender] = [nameIn(people), nameIn(places)]
  const killed = (worker: string): Step => act({ do: "kill", worker: workerOf(worker), after: 0 })
  const frozen = (worker: string, time: Duration.Duration): Step =>
    act({ do: "freeze", worker: workerOf(worker), after: 0, ms: Duration.toMillis(time) })
  return [
    sentence("A round", [], () => act({ do: "round", worker: 0, read: true })),
    sentence("A round that only writes begins", [], () => act({ do: "begin", worker: 0, read: false })),
    sentence("A round that reads begins", [], () => act({ do: "begin", worker: 0, read: true })),
    sentence("The round ends", [], () => act({ do: "finish" })),
    sentence("A round by worker {number}", [Worker], ([n]) => act({ do: "round", worker: workerOf(n), read: true })),
    sentence("A round by both workers at once", [], () => act({ do: "both" })),
    sentence("Worker {number} looks whether all was heard", [Worker], ([n]) =>
      act({ do: "look", worker: workerOf(n) }, { do: "stir", turns: 40 })
    ),
    sentence("{time} pass(es)", [Schema.DurationFromString], ([time]) =>
      act({ do: "pass", ms: Duration.toMillis(time) })
    ),
    sentence("Worker {number} is started again", [Worker], ([n]) => killed(n)),
    sentence(
      "Worker {number} is killed the moment {person} is blocked at {sender}",
      [Worker, person, sender],
      ([n, who, at]) => after(blocked(of(people, who), of(places, at)), killed(n))
    ),
    sentence(
      "Worker {number} is killed the moment {person} is let through at {sender}",
      [Worker, person, sender],
      ([n, who, at]) => after(letThrough(of(people, who), of(places, at)), killed(n))
    ),
    sentence(
      "Worker {number} is frozen for {time} the moment it is about to write to {sender}",
      [Worker, Schema.DurationFromString, sender],
      ([n, time, at]) => after(intended(of(places, at)), frozen(n, time))
    ),
    sentence(
      "Worker {number} is frozen for {time} the moment {account} asks us to wait",
      [Worker, Schema.DurationFromString, Schema.Literals(accounts.map(({ name }) => name))],
      ([n, time, at]) => after(pastFaults(at), frozen(n, time))
    )
  ]
}
