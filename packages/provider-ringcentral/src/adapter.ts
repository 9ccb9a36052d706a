/**
 * What RingCentral high-volume SMS can do, in one screen.
 *
 * It keeps opt-outs per pair of sender and recipient, lists all of them, tells
 * of changes by webhook, and lets us write both ways: by one of two generations
 * of its API, of which the newer also tells when and by whom.
 */
import { can, notYet, type ProviderAdapter } from "@stopline/provider"
import { Effect, type Scope } from "effect"
import { makeClient } from "./client.ts"
import { resolveConfig, type RingCentralConfig, type RingCentralConfigError } from "./config.ts"
import { openRingCentralCredentials, type RingCentralCredentials } from "./credential.ts"
import { makeEventPort } from "./events.ts"
import { makeGeneration } from "./generation.ts"
import { ringcentralKeywords } from "./keywords.ts"
import { makeSubscriptionPort } from "./subscription.ts"
import { makeStreamPort } from "./stream.ts"

/**
 * An adapter for one account. Closing the scope ends what is in flight and forgets the token.
 *
 * @param network what requests leave by, where it is not the `fetch` of Node: a proxy, or a world in memory
 * @param credentials those of the other accounts in this process; absent: this account logs in by itself
 */
export const makeRingCentralAdapter = Effect.fn("makeRingCentralAdapter")(function* (
  given: RingCentralConfig,
  network?: typeof fetch,
  credentials?: RingCentralCredentials
): Effect.fn.Return<ProviderAdapter, RingCentralConfigError, Scope.Scope> {
  const config = yield* resolveConfig(given, network)
  const { account, verificationToken } = config
  const credential = yield* (credentials ?? (yield* openRingCentralCredentials()))(config)
  const client = makeClient(config, credential)
  const { check, evidence, list, optIn, optOut, probe } = yield* makeGeneration(client, config)
  return {
    account,
    vendor: "ringcentral",
    probe,
    list: can(list),
    check: can(check),
    write: { optOut: can(optOut), optIn: can(optIn) },
    events: verificationToken === undefined ? noToken : can(makeEventPort(account, verificationToken)),
    subscription: verificationToken === undefined ? noToken : can(makeSubscriptionPort(client, verificationToken)),
    stream: config.websocket
      ? can(makeStreamPort(client, config))
      : notYet("set websocket: true, and give the app the permission WebSocketsSubscription"),
    evidence: can(evidence),
    get limits() {
      return credential.limits.groups()
    },
    keywords: ringcentralKeywords,
    settle: config.settle
  } satisfies ProviderAdapter
})

const noToken = notYet("set verificationToken: without one, anybody who knows the URL could opt people in")
