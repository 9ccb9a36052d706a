/** What a list of people is made of, wherever it comes from: rows, some of which are no phone number. */
import { type CountryCode, maskMistyped, parseRecipient, type Recipient } from "@stopline/consent"
import { Option, Result, Schema } from "effect"

export type PersonRow =
  | { readonly row: number; readonly recipient: Recipient; readonly textedAt?: number }
  /** What stands there instead of a number, masked, and what it needs to be one. */
  | { readonly row: number; readonly unreadable: string }

/** A list of people that cannot be read at all. No number and no secret in it. */
export class PeopleError extends Schema.TaggedError<PeopleError>()("PeopleError", { problem: Schema.String }) {
  override get message(): string {
    return this.problem
  }
}

/** The cure of what may be a number of any country. */
const needsCountry = "needs its + and calling code, or its country: --country US, in the configuration country: US"

/**
 * A number of a list, or what it needs to be one, where that can be said. Without
 * a plus, ten digits are mostly a number of the writer's own country: read as one
 * from abroad, it would silence a stranger. Only providers are believed to leave it out.
 */
export const readNumber = (
  text: string,
  country: CountryCode | undefined
): Result.Result<Recipient, string | undefined> => {
  const parsed = parseRecipient(text, country)
  const told = Option.getOrElse(parsed, () => text)
  const digits = told.replace(/\P{Nd}/gu, "").length
  const ofAnyCountry = country === undefined && !text.normalize("NFKC").includes("+") && !/\p{L}/u.test(told)
  if (ofAnyCountry && digits >= 7 && digits <= 10) return Result.fail(needsCountry)
  return Result.fromOption(parsed, () => undefined)
}

/** @param row from 1 */
export const readPerson = (text: string, row: number, country: CountryCode | undefined): PersonRow =>
  Result.match(readNumber(text, country), {
    onFailure: (needs) => {
      const masked = text === "" ? "nothing" : maskMistyped(text)
      return { row, unreadable: needs === undefined ? masked : `${masked} (${needs})` }
    },
    onSuccess: (recipient) => ({ row, recipient })
  })
