/** What a list of people is made of, wherever it comes from: rows, some of which are no phone number. */
import { type CountryCode, maskMistyped, parseRecipient, type Recipient } from "@stopline/consent"
import { Option, Schema } from "effect"

export type PersonRow =
  | { readonly row: number; readonly recipient: Recipient; readonly textedAt?: number }
  /** What stands there instead of a number, masked. */
  | { readonly row: number; readonly unreadable: string }

/** A list of people that cannot be read at all. No number and no secret in it. */
export class PeopleError extends Schema.TaggedError<PeopleError>()("PeopleError", { problem: Schema.String }) {
  override get message(): string {
    return this.problem
  }
}

/** @param row from 1 */
export const readPerson = (text: string, row: number, country: CountryCode | undefined): PersonRow =>
  Option.match(parseRecipient(text, country), {
    onNone: () => ({ row, unreadable: text === "" ? "nothing" : maskMistyped(text) }),
    onSome: (recipient) => ({ row, recipient })
  })
