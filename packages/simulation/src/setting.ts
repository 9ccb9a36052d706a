/** The world of a scenario: who there is, told in sentences. */
import {
  AccountName,
  type Group,
  type Member,
  type OptInPolicy,
  policies,
  Recipient,
  SenderAddress
} from "@stopline/consent"
import { Duration, Schema, SchemaTransformation } from "effect"
import { sentence, type Sentence } from "./sentence.ts"
import { makeUniverse, patient, type Universe } from "./universe.ts"
import { settings } from "./worker.ts"

export interface Setting {
  readonly accounts: Universe["accounts"]
  readonly brands: ReadonlyArray<Group>
  readonly people: ReadonlyMap<string, Recipient>
  readonly policy: OptInPolicy
  /** The Azure accounts that act on no text but at toll-free numbers. */
  readonly inactive: ReadonlySet<AccountName>
  /** Every sender by its name: `ring-one +16505550103`. */
  readonly places: ReadonlyMap<string, Member>
  /** Rows of one page of a provider's list. */
  readonly pageSize: number
  /** How long every answer of a provider is on its way (ms). */
  readonly answerMs: number
}

export const nowhere: Setting = {
  accounts: [],
  brands: [],
  people: new Map(),
  policy: "strict",
  inactive: new Set(),
  places: new Map(),
  pageSize: 1000,
  answerMs: 0
}

/** `A, B and C`. */
const listOf = <S extends Schema.Codec<unknown, string>>(each: S) =>
  Schema.String.pipe(
    Schema.decodeTo(
      Schema.Array(each),
      SchemaTransformation.transform({
        decode: (text: string): ReadonlyArray<string> => text.split(/, | and /u),
        encode: (list: ReadonlyArray<string>) => list.join(", ")
      })
    )
  )

const FirstName = Schema.String.check(Schema.isPattern(/^[A-Z][a-z]+$/u, { message: "Expected a first name" }))

/** Everybody by name, and several at once. */
export const crowdsOf = ({ people }: Setting): ReadonlyMap<string, ReadonlyArray<Recipient>> => {
  const all = [...people.values()]
  return new Map([
    ...[...people].map(([name, person]): [string, ReadonlyArray<Recipient>] => [name, [person]]),
    ["Everybody", all],
    ["everybody", all],
    ...[...people].map(([name, person]): [string, ReadonlyArray<Recipient>] => [
      `everybody except ${name}`,
      all.filter((one) => one !== person)
    ])
  ])
}

/** One of the names of a map; `of` looks it up again. */
export const nameIn = (things: ReadonlyMap<string, unknown>) => Schema.Literals([...things.keys()])

export const of = <Thing>(things: ReadonlyMap<string, Thing>, name: string): Thing => {
  const thing = things.get(name)
  if (thing === undefined) throw new Error(`nobody checked ${name}`)
  return thing
}

/** What can be said of the world, and the world with it. */
export const settingSentences = (known: Setting): ReadonlyArray<Sentence<Setting>> => {
  const account = (vendor: "azure" | "ringcentral", name: AccountName, senders: ReadonlyArray<SenderAddress>) => ({
    ...known,
    accounts: [...known.accounts, { name, vendor, senders }],
    places: new Map([
      ...known.places,
      ...senders.map((sender): [string, Member] => [`${name} ${sender}`, { account: name, sender }])
    ])
  })
  return [
    sentence("The Azure account {account} sends from {senders}", [AccountName, listOf(SenderAddress)], ([name, list]) =>
      account("azure", name, list)
    ),
    sentence(
      "The RingCentral account {account} sends from {senders}",
      [AccountName, listOf(SenderAddress)],
      ([name, list]) => account("ringcentral", name, list)
    ),
    sentence(
      "The brand {brand} speaks through {senders}",
      [Schema.NonEmptyString, listOf(nameIn(known.places))],
      ([name, list]) => ({
        ...known,
        brands: [...known.brands, { name, members: list.map((one) => of(known.places, one)) }]
      })
    ),
    sentence("The people are {names}", [listOf(FirstName)], ([names]) => ({
      ...known,
      people: new Map(names.map((name, i) => [name, Recipient.make(`+1555${String(1_230_000 + i)}`)]))
    })),
    sentence("The policy is {policy}", [Schema.Literals(policies)], ([policy]) => ({ ...known, policy })),
    sentence(
      "{account} acts on texts at toll-free numbers only",
      [nameIn(new Map(known.accounts.flatMap(({ name, vendor }) => (vendor === "azure" ? [[name, name]] : []))))],
      ([name]) => ({ ...known, inactive: new Set([...known.inactive, AccountName.make(name)]) })
    ),
    sentence("Lists come in pages of {number}", [Schema.FiniteFromString.check(Schema.isInt())], ([pageSize]) => ({
      ...known,
      pageSize
    })),
    sentence("Answers take {time}", [Schema.DurationFromString], ([time]) => ({
      ...known,
      answerMs: Duration.toMillis(time)
    }))
  ]
}

/** The senders that speak for no brand yet. */
export const unspoken = ({ brands, places }: Setting): ReadonlyMap<string, Member> =>
  new Map([...places].filter(([, place]) => !brands.some(({ members }) => members.includes(place))))

/** What is wrong with the world as a whole, if anything, and the cure. */
export const flawOf = (setting: Setting): readonly [problem: string, cure: string] | undefined => {
  if (setting.places.size === 0)
    return ["nobody sends", "Name an account: The Azure account azure-one sends from 20501"]
  if (setting.people.size === 0) return ["nobody is texted", "Name them: The people are Ann and Ben"]
  if (setting.brands.length === 0)
    return ["there is no brand", "Name one: The brand Bloom speaks through azure-one 20501"]
  if (unspoken(setting).size > 1) return ["more than one sender has no brand", "Leave at most one to join later"]
  return undefined
}

export const universeOf = (setting: Setting): Universe => {
  // Where no sender joins later, one that is there already stands in for it.
  const [spare = of(setting.places, [...setting.places.keys()][0] ?? "")] = unspoken(setting).values()
  return {
    // Chance is the same in every scenario: it only chooses whose turn it is.
    ...makeUniverse(1),
    accounts: setting.accounts,
    groups: setting.brands,
    leavesOut: false,
    spare,
    people: [...setting.people.values()],
    policy: setting.policy,
    inactive: setting.inactive,
    older: new Set(),
    bare: new Set(),
    echoless: new Set(),
    optInless: new Set(),
    refused: undefined,
    skewed: false,
    clocks: new Map(),
    pageSize: setting.pageSize,
    byJobs: false,
    pageRows: settings.pageRows,
    batchSize: 1000,
    askSize: 1000,
    turnMs: 0,
    answerMs: setting.answerMs,
    sweepBudget: 1_000_000,
    tokenSeconds: 3600,
    blacklistAfter: patient
  }
}
