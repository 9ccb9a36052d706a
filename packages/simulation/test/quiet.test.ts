import { assert, describe, it } from "@effect/vitest"
import { Oracle } from "../src/oracle.ts"
import { isKnownLift } from "../src/quiet.ts"
import { makeUniverse } from "../src/universe.ts"

const person = "+15551230000"
const at = 1_000_000

describe("a block that was lifted", () => {
  it("by a colleague, in the moment in which somebody attested an opt-in, is not known to be", () => {
    const universe = makeUniverse(1)
    const [{ name, senders }] = universe.accounts as [(typeof universe.accounts)[number]]
    const place = `${name}/${senders[0]}`
    const oracle = new Oracle({ ...universe, renamed: new Set() }, 0)
    oracle.says(person, place, "attested", "in", at).knownAt = at
    assert.isFalse(isKnownLift(oracle, { at, by: "colleague", blocked: false }, place, person))
    assert.isTrue(isKnownLift(oracle, { at, by: "person", blocked: false }, place, person))
    assert.isTrue(isKnownLift(oracle, { at, by: "us", blocked: false }, place, person))
  })
})
