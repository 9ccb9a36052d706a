/** Who there is, from a seed: two accounts of each vendor, six to twelve senders, one to three brands, and people. */
import { AccountName, type Group, type OptInPolicy, Recipient, SenderAddress } from "@stopline/consent"
import type { SandboxOptions } from "@stopline/sandbox"
import { type Chance, makeChance } from "./chance.ts"

/** A worker's clock and a provider's are each off by at most so much (ms). */
export const mostSkew = 2_000

export type SimVendor = "azure" | "ringcentral"

interface SimAccount {
  readonly name: AccountName
  readonly vendor: SimVendor
  readonly senders: ReadonlyArray<SenderAddress>
}

export interface Universe {
  readonly seed: number
  readonly accounts: ReadonlyArray<SimAccount>
  /** The brands at the beginning; the spare sender belongs to none yet. */
  readonly groups: ReadonlyArray<Group>
  /** Whoever speaks for no brand is not in the configuration at all. */
  readonly leavesOut: boolean
  /** A sender that may join a brand later. */
  readonly spare: { readonly account: AccountName; readonly sender: SenderAddress }
  readonly people: ReadonlyArray<Recipient>
  readonly policy: OptInPolicy
  /** A person whom an account never accepts; the others must not suffer for it (L9). */
  readonly refused: { readonly account: AccountName; readonly person: Recipient } | undefined
  /** The Azure accounts that act on no text but at toll-free numbers: nobody can tell them from outside. */
  readonly inactive: ReadonlySet<AccountName>
  /** The RingCentral accounts that have the older API only, and those whose lists say no more than who blocks whom. */
  readonly older: ReadonlySet<AccountName>
  readonly bare: ReadonlySet<AccountName>
  /** The RingCentral accounts that send no events of what is written by API, and those that send none of opt-ins. */
  readonly echoless: ReadonlySet<AccountName>
  readonly optInless: ReadonlySet<AccountName>
  /** Clocks differ. */
  readonly skewed: boolean
  /** By how much each account's clock is off (ms). */
  readonly clocks: ReadonlyMap<AccountName, number>
  /** Rows of one page of a list. */
  readonly pageSize: number
  /** Workers do one job after another, as they do in earnest, not whole rounds. */
  readonly byJobs: boolean
  /** Rows of the ledger that are read or stored at once. */
  readonly pageRows: number
  /** Recipients of one request that writes. */
  readonly batchSize: number
  /** Recipients of one request that asks. */
  readonly askSize: number
  /** Recipients of each sender that one round asks about. */
  readonly sweepBudget: number
  /** Whatever anybody does takes less than so long (ms); 0: no time at all. */
  readonly turnMs: number
  /** How long every answer is on its way (ms). Absent: where turns take time every second one takes up to half a second. */
  readonly answerMs?: number
  /** RingCentral gives a webhook up that failed so often, and says nothing any more until somebody looks. */
  readonly blacklistAfter: number
  /** Seconds that a login is good for. */
  readonly tokenSeconds: number
}

/** However long nobody listens. */
export const patient = 1_000

const number = (prefix: string, n: number) => SenderAddress.make(`+1${prefix}${String(5550100 + n)}`)

const azureSenders = (chance: Chance, n: number): ReadonlyArray<SenderAddress> => [
  ...(chance.once(2) ? [number("800", n)] : []),
  number("425", n),
  ...(chance.once(2) ? [SenderAddress.make(String(20_500 + n))] : [])
]

const ringcentralSenders = (chance: Chance, n: number): ReadonlyArray<SenderAddress> => [
  number("650", n),
  ...(chance.once(2) ? [number("888", n)] : [])
]

export const makeUniverse = (seed: number): Universe => {
  const chance = makeChance(seed, "universe")
  const account = (name: string, vendor: SimAccount["vendor"], senders: ReadonlyArray<SenderAddress>): SimAccount => ({
    name: AccountName.make(name),
    vendor,
    senders
  })
  const accounts = [
    account("azure-one", "azure", azureSenders(chance, 1)),
    account("azure-two", "azure", azureSenders(chance, 2)),
    account("ring-one", "ringcentral", ringcentralSenders(chance, 3)),
    account("ring-two", "ringcentral", ringcentralSenders(chance, 4))
  ]
  const members = accounts.flatMap(({ name, senders }) => senders.map((sender) => ({ account: name, sender })))
  const spare = chance.pick(members)
  const rest = members.filter((member) => member !== spare)
  const brands = chance.between(1, 3)
  const groups = Array.from({ length: brands }, (_, brand) => ({
    name: `brand-${brand + 1}`,
    members: rest.filter((__, i) => i % brands === brand)
  }))
  const people = Array.from({ length: chance.between(20, chance.once(8) ? 200 : 50) }, (_, i) =>
    Recipient.make(`+1555${String(1_230_000 + i)}`)
  )
  const refused = chance.once(3)
    ? { account: chance.pick(accounts).name, person: chance.pick(chance.once(2) ? people.slice(0, 3) : people) }
    : undefined
  const skewed = chance.once(3)
  const clocks = new Map(accounts.map(({ name }) => [name, skewed ? chance.between(-mostSkew, mostSkew) : 0]))
  const acts = makeChance(seed, "acts")
  const inactive = new Set(accounts.flatMap(({ name, vendor }) => (vendor === "azure" && acts.once(3) ? [name] : [])))
  const api = makeChance(seed, "api")
  const ringcentral = accounts.flatMap(({ name, vendor }) => (vendor === "ringcentral" ? [name] : []))
  const older = new Set(ringcentral.filter(() => api.once(3)))
  const bare = new Set(ringcentral.filter(() => api.once(3)))
  const events = makeChance(seed, "events")
  const echoless = new Set(ringcentral.filter(() => events.once(4)))
  const optInless = new Set(ringcentral.filter(() => events.once(4)))
  // Not all of them opt out, so a list has four pages, two or one.
  const pageSize = chance.pick([Math.ceil(people.length / 8), Math.ceil(people.length / 4), 1000])
  const batchSize = chance.pick([2, 1000])
  // Asking again about everybody takes some requests, not one for every two people.
  const askSize = Math.max(batchSize, Math.ceil(people.length / 6))
  const turnMs = chance.pick([0, 20])
  const sweepBudget = chance.pick([Math.ceil(people.length / 4), 1_000_000])
  const tokenSeconds = chance.pick([40, 600, 3600])
  return {
    seed,
    accounts,
    groups,
    leavesOut: makeChance(seed, "left out").once(2),
    spare,
    people,
    blacklistAfter: makeChance(seed, "blacklist").pick([1, 4, patient]),
    policy: makeChance(seed, "policy").pick(["strict", "strict", "group", "trusting"]),
    refused,
    inactive,
    older,
    bare,
    echoless,
    optInless,
    skewed,
    clocks,
    pageSize,
    // What goes on in between moves the moment of a write, which much of what happens is meant to meet.
    byJobs: makeChance(seed, "jobs").once(4),
    pageRows: makeChance(seed, "rows").pick([1, 3, 1000, 1000, 1000, 1000]),
    batchSize,
    askSize,
    sweepBudget,
    tokenSeconds,
    turnMs
  }
}

/** The sandbox that plays its providers. */
export const worldOf = ({
  accounts,
  bare,
  blacklistAfter,
  clocks,
  echoless,
  inactive,
  older,
  optInless,
  seed,
  tokenSeconds
}: Universe): SandboxOptions => ({
  seed,
  people: 0,
  optedOut: 0,
  accounts: accounts.map(({ name, senders, vendor }) => {
    const common = { name, senders, clockSkew: clocks.get(name) ?? 0 }
    // Azure's client dates its requests by real time; and it gives no webhook up, however long nobody listens.
    return vendor === "azure"
      ? {
          vendor,
          ...common,
          actsAt: inactive.has(name) ? "toll-free" : "every",
          dateTolerance: Number.MAX_SAFE_INTEGER,
          retryDelays: Array.from({ length: 200 }, () => 20_000)
        }
      : {
          vendor,
          ...common,
          tokenSeconds,
          blacklistAfter,
          ...(older.has(name) && { api: "v1" }),
          echo: !echoless.has(name),
          optInEvents: !optInless.has(name),
          records: bare.has(name) ? "bare" : "full"
        }
  })
})
