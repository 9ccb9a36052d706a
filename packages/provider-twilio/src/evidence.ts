/**
 * What a person texted to one of our senders since a moment: the Messages list
 * (twilio-oai, twilio_api_v2010.json, ListMessage). Days are its finest filter.
 */
import { by, type Interval, type Observation, type Recipient, type SenderAddress } from "@stopline/consent"
import { type EvidencePort, NextTurn, Unreadable } from "@stopline/provider"
import { Clock, Effect, Option, Redacted, Schema } from "effect"
import { HttpClientRequest } from "effect/http"
import type { Client } from "./client.ts"
import type { TwilioConfig } from "./config.ts"
import { observe } from "./message.ts"
import { MessagePage, StoredMessage } from "./wire.ts"

type Filters = ReadonlyArray<readonly [string, string]>

export const makeEvidencePort = (config: TwilioConfig, client: Client): EvidencePort => {
  const url = new URL(
    `/2010-04-01/Accounts/${config.accountSid}/Messages.json`,
    config.apiUrl ?? "https://api.twilio.com"
  )
  /** Twilio takes the numbers in the query alone; redacted, they stay out of traces and errors. */
  const page = (filters: Filters) =>
    filters.reduce(
      (request, [name, value]) => HttpClientRequest.setUrlParam(request, name, Redacted.make(value)),
      HttpClientRequest.get(url).pipe(HttpClientRequest.acceptJson)
    )

  return {
    since: Effect.fn("Twilio.evidence")(function* (sender, recipient, since) {
      const now = yield* Clock.currentTimeMillis
      const observations: Array<Observation> = []
      const seen = new Set<string>()
      let filters: Filters | undefined = [
        ["To", sender],
        ["From", recipient],
        ["DateSent>", new Date(Math.max(0, Math.min(since, now))).toISOString().slice(0, 10)],
        ["PageSize", "1000"]
      ]
      while (filters !== undefined) {
        if (seen.size > 0) yield* yield* NextTurn
        const answer: typeof MessagePage.Type = yield* client.ask("evidence", page(filters), MessagePage)
        for (const row of answer.messages) {
          const message = Option.getOrUndefined(decodeMessage(row))
          if (message === undefined) {
            // It may be the STOP after a START.
            const detail = "a message of this person cannot be read"
            return yield* client.fail("evidence", new Unreadable({ mayHaveApplied: false }), detail)
          }
          observations.push(...readMessage(message, config, sender, recipient, now))
        }
        const next: string | null = answer.next_page_uri
        if (next !== null && (seen.has(next) || !URL.canParse(next, url.href))) {
          const detail = "the address of the next page of messages leads nowhere, or back"
          return yield* client.fail("evidence", new Unreadable({ mayHaveApplied: false }), detail)
        }
        if (next !== null) seen.add(next)
        // Of the next page's address only the query is taken: nobody sends our key to another host.
        filters = next === null ? undefined : [...new URL(next, url.href).searchParams]
      }
      return observations.filter(({ time }) => time.notAfter >= since)
    })
  }
}

const decodeMessage = Schema.decodeUnknownOption(StoredMessage)

const readMessage = (
  message: typeof StoredMessage.Type,
  config: TwilioConfig,
  sender: SenderAddress,
  recipient: Recipient,
  now: number
): ReadonlyArray<Observation> => {
  if (message.direction !== "inbound" || message.from !== recipient || message.to !== sender) return []
  const { body, date_created: created, sid } = message
  const time = secondOf(created ?? "") ?? by(now)
  const observation = observe({ account: config.account, sid, sender, recipient, text: body ?? "", time })
  return observation === undefined ? [] : [observation]
}

/** `Thu, 24 Aug 2023 05:01:45 +0000` is any moment of that second. */
const secondOf = (rfc2822: string): Interval | undefined => {
  const at = Date.parse(rfc2822)
  return Number.isNaN(at) ? undefined : { notBefore: at, notAfter: at + 999 }
}
