/**
 * What a Twilio account can do, in one screen.
 */
import { isTollFree, type SenderAddress } from "@stopline/consent"
import { can, cannot, notYet, type ProviderAdapter } from "@stopline/provider"
import { Duration, Effect } from "effect"
import { makeClient } from "./client.ts"
import { checkConfig, type TwilioConfig } from "./config.ts"
import { makeEventPort } from "./events.ts"
import { makeEvidencePort } from "./evidence.ts"
import { keywords } from "./message.ts"
import { makeConsents } from "./write.ts"

const docs = "https://www.twilio.com/docs/messaging/features/consent-api"
const minute = Duration.minutes(1)

/** No number of ours: enough for a 3-second timeout within 100 requests a minute. */
const concurrency = 4

/** Why this sender's pairs cannot be opted in, and what to tell the person. */
const exceptOptIn =
  ({ messagingService, senders }: TwilioConfig) =>
  (sender: SenderAddress): string | undefined => {
    // Twilio docs, Consent Management API: an opt-in overrides STOP, "except US Toll-free numbers".
    if (isTollFree(sender)) {
      return (
        "the carrier holds the opt-out of a toll-free sender, and only the recipient can lift it: " +
        "they must text START or UNSTOP to this sender from their own phone"
      )
    }
    if (messagingService === undefined || senders.length === 1) return undefined
    return (
      "what a Messaging Service blocks it blocks for every sender in it, and the person spoke of one: " +
      "they must text START to this sender from their own phone"
    )
  }

export const makeTwilioAdapter = Effect.fn("makeTwilioAdapter")(function* (config: TwilioConfig) {
  yield* checkConfig(config)
  const client = yield* makeClient(config)
  const consents = makeConsents(config, client)
  const { maxRecipients } = consents
  return {
    account: config.account,
    vendor: "twilio",
    probe: consents.probe,
    list: cannot("Twilio has no list of opt-outs", docs),
    check: cannot("Twilio cannot be asked whether somebody is opted out", docs),
    write: {
      optOut: can({ maxRecipients, concurrency, except: () => undefined, write: consents.write("opted-out") }),
      optIn: can({ maxRecipients, concurrency, except: exceptOptIn(config), write: consents.write("opted-in") })
    },
    events:
      config.webhook === undefined
        ? notYet("no webhook is configured; give the account its webhook's authToken and URL")
        : can(makeEventPort(config, config.webhook)),
    subscription: notYet(
      "enter the webhook's URL in Twilio's console, at the Messaging Service or at each number, with the method POST"
    ),
    stream: notYet("Twilio calls webhooks; whether another way brings texts was not looked into"),
    evidence: can(makeEvidencePort(config, client)),
    limits: [
      {
        // Twilio docs, Consent Management API: "limits the Consent Management API to 100 requests per minute".
        name: "consents",
        credential: config.accountSid,
        requests: 100,
        window: minute,
        penalty: minute,
        operations: ["probe", "optOut", "optIn"]
      },
      {
        // Not found for the Messages list; a number of ours.
        name: "messages",
        credential: config.accountSid,
        requests: 60,
        window: minute,
        penalty: minute,
        operations: ["evidence"]
      }
    ],
    keywords,
    settle: config.settle ?? Duration.seconds(30)
  } satisfies ProviderAdapter
})
