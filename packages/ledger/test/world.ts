/** A small world for ledger tests: two accounts, three senders, one group or two. */
import type { AccountName, Group, Observation, OptInPolicy, Recipient, SenderAddress } from "@stopline/consent"
import { register } from "@stopline/ledger"

export const east = "east" as AccountName
export const west = "west" as AccountName
export const eastOne = "+14255550101" as SenderAddress
export const eastTwo = "+14255550102" as SenderAddress
export const westOne = "+16505550101" as SenderAddress

export const accounts = [
  { name: east, vendor: "alpha", senders: [eastOne, eastTwo] },
  { name: west, vendor: "beta", senders: [westOne] }
]

export const brand: Group = {
  name: "brand",
  members: [
    { account: east, sender: eastOne },
    { account: east, sender: eastTwo },
    { account: west, sender: westOne }
  ]
}

export const setUp = (policy: OptInPolicy = "strict", groups: ReadonlyArray<Group> = [brand]) =>
  register(accounts, groups, policy, 1_000)

export const person = (n: number): Recipient => `+1555${String(n).padStart(7, "0")}` as Recipient

export const observation = (given: Partial<Observation> & Pick<Observation, "recipient">): Observation => ({
  account: east,
  sender: eastOne,
  state: "opted-out",
  origin: "recipient",
  basis: "message",
  time: { notBefore: 10_000, notAfter: 10_000 },
  reach: "group",
  key: null,
  evidence: {},
  ...given
})
