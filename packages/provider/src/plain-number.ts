/** Numbers and senders as a program hands them in. */
import { isShortCode, parseRecipient, parseSender, type Recipient, type SenderAddress } from "@stopline/consent"
import { Option } from "effect"

/**
 * Providers leave the plus out, and people the country: ten digits or fewer without a plus may be a national number,
 * and read on it would be somebody else's abroad.
 */
const isCertain = (text: string, number: Recipient | SenderAddress): boolean =>
  text.normalize("NFKC").includes("+") || number.length > "+1234567890".length

export const readNumber = (text: string): Option.Option<Recipient> =>
  Option.filter(parseRecipient(text), (number) => isCertain(text, number))

/** @throws TypeError */
export const readSender = (text: string): SenderAddress =>
  Option.getOrThrowWith(
    Option.filter(parseSender(text), (sender) => isShortCode(sender) || isCertain(text, sender)),
    () => new TypeError("the sender is neither a number such as +18005550100 nor a short code such as 20500")
  )
