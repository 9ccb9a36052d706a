/**
 * The senders that speak for one brand. A STOP to one of them silences all of them.
 */
import type { AccountName, SenderAddress } from "./address.ts"

/** One sender of one account, written `contoso/+18005550100`. */
export interface Member {
  readonly account: AccountName
  readonly sender: SenderAddress
}

export interface Group {
  readonly name: string
  readonly members: ReadonlyArray<Member>
}

export const memberName = (member: Member): string => `${member.account}/${member.sender}`

export const defaultGroup = "all"

/** What is wrong with a set of groups, in words that name the place. */
export interface GroupProblem {
  readonly group: string
  readonly member: string
  readonly problem: "unknown" | "twice"
  readonly other?: string
}

export interface ResolvedGroups {
  readonly groups: ReadonlyArray<Group>
  readonly problems: ReadonlyArray<GroupProblem>
}

/**
 * Every sender belongs to exactly one group. With no groups given there is one,
 * of all senders of all accounts; with groups given, a sender that none names
 * stands alone: silencing more than was asked is a decision, not a default.
 */
export const resolveGroups = (
  senders: ReadonlyArray<Member>,
  named: ReadonlyArray<{ readonly name: string; readonly members: ReadonlyArray<string> }> | undefined
): ResolvedGroups => {
  if (named === undefined) return { groups: [{ name: defaultGroup, members: senders }], problems: [] }
  const byName = new Map(senders.map((member) => [memberName(member), member]))
  const taken = new Map<string, string>()
  const problems: Array<GroupProblem> = []
  const groups: Array<Group> = []
  for (const group of named) {
    const members: Array<Member> = []
    for (const name of group.members) {
      const member = byName.get(name)
      const other = taken.get(name)
      if (member === undefined) problems.push({ group: group.name, member: name, problem: "unknown" })
      else if (other !== undefined) problems.push({ group: group.name, member: name, problem: "twice", other })
      else {
        taken.set(name, group.name)
        members.push(member)
      }
    }
    groups.push({ name: group.name, members })
  }
  for (const [name, member] of byName) {
    if (!taken.has(name)) groups.push({ name, members: [member] })
  }
  return { groups, problems }
}
