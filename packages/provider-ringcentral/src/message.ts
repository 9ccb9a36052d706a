/**
 * What an inbound message says about consent, wherever it was met: in an event,
 * or in the message store. The same message gives the same observations under
 * the same keys, so that reading it twice is reading it once.
 */
import {
  type AccountName,
  hear,
  isVerbatim,
  type Interval,
  type Observation,
  parseTimestamp,
  type RuleSet
} from "@stopline/consent"
import type { RowProblem } from "@stopline/provider"
import { Result } from "effect"
import { ringcentralKeywords } from "./keywords.ts"
import { readPair } from "./pair.ts"
import type { Message } from "./wire.ts"

/** What was understood of a request or a row, and what was not. */
export interface Understanding {
  readonly observations: ReadonlyArray<Observation>
  readonly problems: ReadonlyArray<RowProblem>
}

export interface Hearing {
  readonly account: AccountName
  readonly rule: RuleSet
  /** When it was said, should the message itself not tell. */
  readonly otherwise: Interval
  readonly eventId?: string
}

export const hearMessage = (message: Message, { account, eventId, otherwise, rule }: Hearing): Understanding => {
  const heard = message.direction === "Inbound" ? hear(message.text ?? "", ringcentralKeywords, rule) : undefined
  const observations: Array<Observation> = []
  const problems: Array<RowProblem> = []
  if (heard === undefined) return { observations, problems }
  const acted = heard.state === "opted-in" && isVerbatim(message.text ?? "", heard)
  const time = parseTimestamp(message.creationTime ?? "") ?? otherwise
  const id = readId(message)
  for (const [index, to] of message.to.entries()) {
    // Seen from the pair, the person's number is the recipient also of what the person writes.
    const pair = readPair(to, message.from)
    if (Result.isFailure(pair)) {
      problems.push({ row: `to[${index}]`, reason: "the message's numbers cannot be read" })
      continue
    }
    observations.push({
      account,
      ...pair.success,
      state: heard.state,
      origin: "recipient",
      basis: "message",
      time,
      reach: heard.reach,
      key:
        id === undefined
          ? // The sender, the moment and what was said must do.
            `message:${pair.success.sender}:${heard.state}@${time.notAfter}`
          : // One message to two of our senders is two facts about one person.
            `message:${id}${message.to.length === 1 ? "" : `#${index}`}`,
      evidence: {
        ...(id !== undefined && { messageId: id }),
        keyword: heard.keyword,
        ...(acted && { acted }),
        ...(eventId !== undefined && { eventId })
      }
    })
  }
  return { observations, problems }
}

/** Undefined: a number of more digits than JSON keeps here. As a text it could be read, but the same message has the same key. */
const readId = ({ id }: Message): string | undefined => {
  const number = Number(id)
  return Number.isNaN(number) || Number.isSafeInteger(number) ? String(id) : undefined
}
