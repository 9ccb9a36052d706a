/**
 * Who texts and who is texted. Parsed once at the edge, and trusted afterwards.
 */
import { Option, Schema } from "effect"
import { type CountryCode, isSupportedCountry, parsePhoneNumberFromString } from "libphonenumber-js"

/** A person's number, E.164 with its plus: `+15551230000`. */
export const Recipient = Schema.String.check(
  Schema.isPattern(/^\+[1-9]\d{6,14}$/u, { message: "Expected an E.164 number such as +15551230000" })
).pipe(Schema.brand("Recipient"))
export type Recipient = typeof Recipient.Type

/** What an account sends from: an E.164 number or a short code of 3 to 8 digits. Nobody can reply to a name, so a name is none. */
export const SenderAddress = Schema.String.check(
  Schema.isPattern(/^(\+[1-9]\d{6,14}|[1-9]\d{2,7})$/u, {
    message: "Expected an E.164 number such as +18005550100, or a short code such as 20500"
  })
).pipe(Schema.brand("SenderAddress"))
export type SenderAddress = typeof SenderAddress.Type

/** A provider's own word for "every sender of this account". */
export const everySender = "*"
export type EverySender = typeof everySender

/** The name of one configured connection to a provider. */
export const AccountName = Schema.String.check(
  Schema.isPattern(/^[a-z0-9][a-z0-9-]{0,62}$/u, { message: "Expected lower-case letters, digits and dashes" })
).pipe(Schema.brand("AccountName"))
export type AccountName = typeof AccountName.Type

/** A spreadsheet's float, or a full number with a further group behind it: whoever reads on makes another person's number of it. */
const runsOn = /^\+?(?:\p{Nd}{7,}\.\p{Nd}*|\p{Nd}{11,}[\s()./\p{Pd}]+\p{Nd}.*)$/u

const isRecipient = Schema.is(Recipient)
const isSender = Schema.is(SenderAddress)

/**
 * Reads a person's number as anybody writes it: `+1 (555) 123-0000`,
 * `15551230000`, or, with a country, `555-123-0000`.
 *
 * A number without a plus is read as international when `country` is absent:
 * providers leave the plus out. E.164 is taken at its word, digit by digit.
 * Returns none when no number can be made of it. A number that no carrier has
 * handed out still parses: whether it exists is the provider's business, and
 * losing a STOP over it is not ours.
 */
export const parseRecipient = (raw: string, country?: CountryCode): Option.Option<Recipient> => {
  if (isRecipient(raw)) return Option.some(raw)
  // A number copied from a screen brings marks along that nobody sees.
  const text = raw
    .replace(/\p{Cf}/gu, "")
    .normalize("NFKC")
    .trim()
  if (runsOn.test(text)) return Option.none()
  const withPlus = text.startsWith("+")
  const told = withPlus || country !== undefined ? text : `+${text}`
  // Eleven digits or more begin with a calling code; fewer without a plus may be a national number.
  if (isRecipient(told) && (withPlus || told.length > 11)) return Option.some(told)
  // Never a number out of the middle of a text: a name such as PIZZA4155550123 is none.
  const options = country === undefined ? { extract: false } : { extract: false, defaultCountry: country }
  const parsed = parsePhoneNumberFromString(told, options)
  return parsed !== undefined && (withPlus || parsed.isPossible()) && isRecipient(parsed.number)
    ? Option.some(parsed.number)
    : Option.none()
}

/** Reads a sender as a provider or a person writes it. Short codes stay as they are. */
export const parseSender = (raw: string): Option.Option<SenderAddress> => {
  const text = raw.trim()
  if (isSender(text)) return Option.some(text)
  return Option.map(parseRecipient(text), (number) => SenderAddress.make(number))
}

export const isShortCode = (sender: SenderAddress): boolean => !sender.startsWith("+")

/** United States and Canadian toll-free codes (NANP 8YY). Carriers hold these opt-outs themselves. */
const tollFree = /^\+18(00|33|44|55|66|77|88)\d{7}$/

export const isTollFree = (sender: SenderAddress): boolean => tollFree.test(sender)

/** What carriers and providers treat differently. */
export const senderKinds = ["toll-free", "long-code", "short-code"] as const
export type SenderKind = (typeof senderKinds)[number]

export const kindOf = (sender: SenderAddress): SenderKind =>
  isShortCode(sender) ? "short-code" : isTollFree(sender) ? "toll-free" : "long-code"

/** The first and the last four characters of something long, two of something short, and never the middle. */
const hide = (address: string): string => {
  if (address.length < 11) return `${address.slice(0, 2)}•••${address.slice(-2)}`
  return `${address.slice(0, address.startsWith("+") ? 5 : 4)}•••${address.slice(-4)}`
}

/**
 * A number fit for logs and terminals: `+1555•••0123`. Short codes are public
 * and stay readable; of anything else at most eight digits are left.
 */
export const mask = (address: string): string => (/^\d{3,8}$/.test(address) ? address : hide(address))

/** The same of what should have been a person's number and is none: whose it is nobody knows, so a short one is no short code either. */
export const maskMistyped = (text: string): string => (text.length < 9 ? `${text.slice(0, 1)}•••` : hide(text))

/** Seven digits or more, in any script, however they are set apart. */
const numberLike = /\+?\p{Nd}(?:[\s()./\p{Pd}]*\p{Nd}){6,}/gu

/** Masks every run of digits in a text that could be a phone number: for messages written by others. */
export const maskWithin = (text: string): string =>
  text.replace(numberLike, (number) => hide(number.normalize("NFKC").replace(/[^+\p{Nd}]/gu, "")))

export const isCountry = isSupportedCountry
export type { CountryCode }
