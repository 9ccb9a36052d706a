/** What failed is named by what to do next. */
import { expect, it } from "@effect/vitest"
import { ledgerError } from "@stopline/ledger"

const kindOf = (code: string) => ledgerError("connect")(Object.assign(new Error("getaddrinfo db"), { code })).kind

it("a name that cannot be looked up just now, or no way there, is a database that is away", () => {
  expect(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "ENETUNREACH"].map(kindOf)).toEqual(
    Array.from({ length: 4 }, () => "unreachable")
  )
  expect(kindOf("42P01")).toBe("broken")
})
