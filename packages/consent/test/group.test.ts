import { assert, describe, it } from "@effect/vitest"
import {
  type AccountName,
  defaultGroup,
  type Member,
  memberName,
  resolveGroups,
  type SenderAddress
} from "@stopline/consent"

const member = (account: string, sender: string): Member => ({
  account: account as AccountName,
  sender: sender as SenderAddress
})
const east = member("east", "+14255550101")
const eastShort = member("east", "20500")
const west = member("west", "+16505550101")
const all = [east, eastShort, west]

describe("groups", () => {
  it("are one of all senders when none is named", () =>
    assert.deepStrictEqual(resolveGroups(all, undefined), {
      groups: [{ name: defaultGroup, members: all }],
      problems: []
    }))

  it("leave a sender alone that none of them names", () =>
    assert.deepStrictEqual(
      resolveGroups(all, [{ name: "shop", members: ["east/+14255550101", "west/+16505550101"] }]),
      {
        groups: [
          { name: "shop", members: [east, west] },
          { name: "east/20500", members: [eastShort] }
        ],
        problems: []
      }
    ))

  it("named and empty leave everybody alone", () =>
    assert.deepStrictEqual(
      resolveGroups(all, []).groups.map(({ name, members }) => [name, members.length]),
      all.map((one) => [memberName(one), 1])
    ))

  it("say which sender they do not know", () =>
    assert.deepStrictEqual(resolveGroups(all, [{ name: "shop", members: ["east/20500", "east/99999"] }]).problems, [
      { group: "shop", member: "east/99999", problem: "unknown" }
    ]))

  it("take a sender once, and say where it was before", () => {
    const resolved = resolveGroups(all, [
      { name: "shop", members: ["east/20500", "east/20500"] },
      { name: "bank", members: ["east/20500", "west/+16505550101"] }
    ])
    assert.deepStrictEqual(resolved.problems, [
      { group: "shop", member: "east/20500", problem: "twice", other: "shop" },
      { group: "bank", member: "east/20500", problem: "twice", other: "shop" }
    ])
    assert.deepStrictEqual(resolved.groups, [
      { name: "shop", members: [eastShort] },
      { name: "bank", members: [west] },
      { name: memberName(east), members: [east] }
    ])
  })

  it("hold every sender exactly once, whatever was named", () => {
    for (const named of [
      undefined,
      [],
      [
        { name: "a", members: all.map(memberName) },
        { name: "b", members: ["west/x"] }
      ]
    ]) {
      const held = resolveGroups(all, named).groups.flatMap(({ members }) => members.map(memberName))
      assert.deepStrictEqual(held.toSorted(), all.map(memberName).toSorted())
    }
  })
})
