/**
 * A sender and a recipient as RingCentral writes them: `from` is our number and
 * `to` the person's, in lists and in events of opt-outs alike.
 */
import {
  everySender,
  type EverySender,
  parseRecipient,
  parseSender,
  type Recipient,
  type SenderAddress
} from "@stopline/consent"
import { Option, Result } from "effect"

export interface Pair {
  readonly sender: SenderAddress | EverySender
  readonly recipient: Recipient
}

/** Fails with what is wrong, in words without a number. RingCentral writes `*` for every sender of the account. */
export const readPair = (from: string, to: string): Result.Result<Pair, string> =>
  Result.all({
    sender: orSay(readSender(from), "from is no sender"),
    recipient: orSay(parseRecipient(to), "to is no phone number")
  })

const readSender = (from: string): Option.Option<SenderAddress | EverySender> =>
  from === everySender ? Option.some(everySender) : parseSender(from)

const orSay = <A>(option: Option.Option<A>, problem: string): Result.Result<A, string> =>
  Result.fromOption(option, () => problem)
