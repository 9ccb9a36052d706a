/**
 * What a text says about consent, whether it came by webhook or was looked up.
 */
import {
  type AccountName,
  type EverySender,
  hear,
  type Interval,
  isVerbatim,
  type KeywordSet,
  type Observation,
  type Recipient,
  ruleAt,
  type SenderAddress,
  unitedStates
} from "@stopline/consent"

/**
 * The words Twilio acts on by itself. Out: Twilio docs, Advanced Opt-Out
 * tutorial (with REVOKE and OPTOUT since 2025). In: Twilio docs, error 23004.
 * Only a text that is nothing but the word (Twilio support, article 223134027).
 */
export const keywords: KeywordSet = {
  optOut: ["STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL"],
  optIn: ["START", "YES", "UNSTOP"]
}

export interface Message {
  readonly account: AccountName
  readonly sid: string
  readonly sender: SenderAddress | EverySender
  readonly recipient: Recipient
  readonly text: string
  /** What Twilio says that it took the text for, where it says so. */
  readonly optOutType?: string | undefined
  readonly time: Interval
}

type Said = Pick<Observation, "state" | "reach"> & { readonly keyword: string }

/** Twilio's word and ours; where they differ the opt-out wins (L4). */
const read = ({ optOutType, text, time }: Message): Said | undefined => {
  const heard = hear(text, keywords, ruleAt(unitedStates, time.notAfter))
  if (optOutType === "STOP" && heard?.state !== "opted-out") {
    return { state: "opted-out", reach: "group", keyword: "STOP" }
  }
  // A word that the business chose itself reaches no further than this sender.
  if (optOutType === "START" && heard === undefined) return { state: "opted-in", reach: "pair", keyword: "START" }
  return heard
}

/**
 * The observation in a text. `OptOutType` says that Twilio has acted on it, so
 * it also tells what Twilio holds; a bare text tells only what the person wants.
 * Twilio acts on a bare START as well, unless its handling of words was turned off.
 */
export const observe = (message: Message): Observation | undefined => {
  const { account, optOutType, recipient, sender, sid, text, time } = message
  const said = read(message)
  if (said === undefined) return undefined
  const acted = optOutType === (said.state === "opted-out" ? "STOP" : "START")
  return {
    account,
    sender,
    recipient,
    state: said.state,
    origin: "recipient",
    basis: acted ? "event" : "message",
    time,
    reach: said.reach,
    // The same for every delivery of this text, and for its row in the list of messages.
    key: `message:${sid}`,
    evidence: {
      messageId: sid,
      keyword: said.keyword,
      ...(!acted && said.state === "opted-in" && isVerbatim(text, said) && { mayHaveActed: true })
    }
  }
}
