/**
 * Who texts and who is texted. Parsed once at the edge, and trusted afterwards.
 */
import { Option, Schema } from "effect"
import { type CountryCode, isSupportedCountry, parsePhoneNumberFromString } from "libphonenumber-js"

/** A person's number, E.164 with its plus: `+15551230000`. */
export const Recipient = Schema.String.check(
  Schema.isPattern(/^\+[1-9]\d{6,14}$/, { message: "Expected an E.164 number such as +15551230000" })
).pipe(Schema.brand("Recipient"))
export type Recipient = typeof Recipient.Type

/** What an account sends from: an E.164 number or a short code of 3 to 8 digits. Nobody can reply to a name, so a name is none. */
export const SenderAddress = Schema.String.check(
  Schema.isPattern(/^(\+[1-9]\d{6,14}|[1-9]\d{2,7})$/, {
    message: "Expected an E.164 number such as +18005550100, or a short code such as 20500"
  })
).pipe(Schema.brand("SenderAddress"))
export type SenderAddress = typeof SenderAddress.Type

/** A provider's own word for "every sender of this account". */
export const everySender = "*"
export type EverySender = typeof everySender

/** The name of one configured connection to a provider. */
export const AccountName = Schema.String.check(
  Schema.isPattern(/^[a-z0-9][a-z0-9-]{0,62}$/, { message: "Expected lower-case letters, digits and dashes" })
).pipe(Schema.brand("AccountName"))
export type AccountName = typeof AccountName.Type

const isRecipient = Schema.is(Recipient)
const isSender = Schema.is(SenderAddress)

/**
 * Reads a person's number as anybody writes it: `+1 (555) 123-0000`,
 * `15551230000`, or, with a country, `555-123-0000`.
 *
 * A number without a plus is tried as international first when `country` is
 * absent: providers leave the plus out. Returns none when no number can be made
 * of it. A number that no carrier has handed out still parses: whether it
 * exists is the provider's business, and losing a STOP over it is not ours.
 */
export const parseRecipient = (raw: string, country?: CountryCode): Option.Option<Recipient> => {
  const text = raw.trim()
  if (text === "") return Option.none()
  if (isRecipient(text)) return Option.some(text)
  const parsed =
    country === undefined
      ? parsePhoneNumberFromString(text.startsWith("+") ? text : `+${text}`)
      : parsePhoneNumberFromString(text, country)
  return parsed !== undefined && parsed.isPossible() && isRecipient(parsed.number)
    ? Option.some(parsed.number)
    : Option.none()
}

/** Reads a sender as a provider or a person writes it. Short codes stay as they are. */
export const parseSender = (raw: string): Option.Option<SenderAddress> => {
  const text = raw.trim()
  if (isSender(text)) return Option.some(text)
  return Option.map(parseRecipient(text), (number) => number as string as SenderAddress)
}

export const isShortCode = (sender: SenderAddress): boolean => !sender.startsWith("+")

/** United States and Canadian toll-free codes (NANP 8YY). Carriers hold these opt-outs themselves. */
const tollFree = /^\+18(00|33|44|55|66|77|88)\d{7}$/

export const isTollFree = (sender: SenderAddress): boolean => tollFree.test(sender)

/**
 * A number fit for logs and terminals: `+1555•••0123`. Short codes are public
 * and stay readable; anything else keeps at most its first and last four characters.
 */
export const mask = (address: string): string =>
  /^\d{3,8}$/.test(address)
    ? address
    : address.length >= 11
      ? `${address.slice(0, 5)}•••${address.slice(-4)}`
      : `${address.slice(0, 2)}•••${address.slice(-2)}`

/** Masks every run of digits in a text that could be a phone number: for messages written by others. */
export const maskWithin = (text: string): string =>
  text.replace(/\+?\d[\d\s().-]{6,}\d/g, (number) => mask(number.replace(/[\s().-]/g, "")))

export const isCountry = isSupportedCountry
export type { CountryCode }
