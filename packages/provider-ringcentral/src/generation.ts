/**
 * The two generations of RingCentral's opt-out API, each as the ports it makes,
 * and the choice between them.
 */
import {
  type CheckPort,
  type EvidencePort,
  type ListPort,
  type Operation,
  type ProviderAdapter,
  ProviderError,
  type WritePort
} from "@stopline/provider"
import { Cache, Duration, Effect, Exit } from "effect"
import { makeAmendPorts } from "./amend.ts"
import { makeCheckPort } from "./check.ts"
import type { Client } from "./client.ts"
import type { ResolvedConfig } from "./config.ts"
import { makeEvidencePort } from "./evidence.ts"
import { isClosed } from "./failure.ts"
import { makeHistoryPort } from "./history.ts"
import { makeListPort, readPage } from "./list.ts"
import { makeSearchCheckPort, makeSearchListPort, searchPage } from "./search.ts"
import { makeWritePort } from "./write.ts"

export interface Generation {
  readonly probe: ProviderAdapter["probe"]
  readonly list: ListPort
  readonly check: CheckPort
  readonly optOut: WritePort
  readonly optIn: WritePort
  readonly evidence: EvidencePort
}

/** `…/v1.0/account/{id}/a2p-sms/opt-outs`: deprecated since May 2025. */
const optOuts = (client: Client, config: ResolvedConfig): Generation => ({
  probe: (sender) => Effect.asVoid(readPage(client, "probe", { sender, size: 1 })),
  list: makeListPort(client),
  check: makeCheckPort(client),
  optOut: makeWritePort(client, config, "optOut"),
  optIn: makeWritePort(client, config, "optIn"),
  evidence: makeEvidencePort(client)
})

/** `…/v2/accounts/{id}/sms/consents`. */
const consents = (client: Client, config: ResolvedConfig): Generation => ({
  probe: (sender) => Effect.asVoid(searchPage(client, "probe", { sender, size: 1 })),
  list: makeSearchListPort(client),
  check: makeSearchCheckPort(client),
  ...makeAmendPorts(client, config),
  evidence: makeHistoryPort(client, makeEvidencePort(client))
})

export const makeGeneration = (client: Client, config: ResolvedConfig): Effect.Effect<Generation> => {
  switch (config.api) {
    case "v1":
      return Effect.succeed(optOuts(client, config))
    case "v2":
      return Effect.succeed(consents(client, config))
    case "auto":
      return whicheverAnswers(client, optOuts(client, config), consents(client, config))
  }
}

/**
 * Asks the newer API once, before the first request to either. Only an account
 * that it is closed to takes the older one: an error that may pass decides
 * nothing, and whoever met it tries again. It is one request of a process that
 * no limit counts; it is made inside one that was let through.
 */
const whicheverAnswers = Effect.fn("whicheverAnswers")(function* (
  client: Client,
  older: Generation,
  newer: Generation
) {
  let decided: Generation | undefined
  const decide = Effect.fn("RingCentral.decide")(function* () {
    // A login that is refused says nothing about either API.
    yield* client.login("probe")
    const asked = yield* Effect.result(searchPage(client, "probe", { size: 1 }))
    if (asked._tag === "Failure" && !isClosed(asked.failure)) return yield* asked.failure
    if (asked._tag === "Failure") {
      const why = "RingCentral's consents API (v2) is closed to this account, so its opt-outs API (v1) is used"
      yield* Effect.logWarning(why, { account: client.account, because: asked.failure.detail })
    } else {
      yield* Effect.logDebug("RingCentral's consents API (v2) answers, so it is used", { account: client.account })
    }
    decided = asked._tag === "Failure" ? older : newer
    return decided
  })
  const decision = yield* Cache.makeWith<"api", Generation, ProviderError>(decide, {
    capacity: 1,
    timeToLive: (exit) => (Exit.isSuccess(exit) ? Duration.infinity : Duration.zero)
  })
  const choice: Choice = {
    // Whoever needed the answer first was after something else, and is told of that.
    made: (operation, use) =>
      Cache.get(decision, "api").pipe(
        Effect.mapError(({ account, detail, reason }) => new ProviderError({ account, operation, reason, detail })),
        Effect.flatMap(use)
      ),
    bound: (of) => (decided === undefined ? Math.min(of(older), of(newer)) : of(decided))
  }
  return portsOf(choice)
})

interface Choice {
  readonly made: <A>(
    operation: Operation,
    use: (chosen: Generation) => Effect.Effect<A, ProviderError>
  ) => Effect.Effect<A, ProviderError>
  /** Until it is known which one it is, no more is promised than both bear. */
  readonly bound: (of: (generation: Generation) => number) => number
}

/** Ports that find out, when they are first used, whose ports they are. */
const portsOf = ({ bound, made }: Choice): Generation => {
  const write = (operation: "optOut" | "optIn"): WritePort => ({
    get maxRecipients() {
      return bound((one) => one[operation].maxRecipients)
    },
    concurrency: bound((one) => one[operation].concurrency),
    except: () => undefined,
    write: (sender, recipients) =>
      recipients.length === 0
        ? Effect.succeed([])
        : made(operation, (chosen) => chosen[operation].write(sender, recipients))
  })
  return {
    probe: (sender) => made("probe", (chosen) => chosen.probe(sender)),
    list: {
      maxPage: bound((one) => one.list.maxPage),
      coverage: "complete",
      page: (request) => made("list", (chosen) => chosen.list.page(request))
    },
    check: {
      get maxRecipients() {
        return bound((one) => one.check.maxRecipients)
      },
      check: (sender, recipients) =>
        recipients.length === 0 ? Effect.succeed([]) : made("check", (chosen) => chosen.check.check(sender, recipients))
    },
    optOut: write("optOut"),
    optIn: write("optIn"),
    evidence: {
      since: (sender, recipient, since) => made("evidence", (chosen) => chosen.evidence.since(sender, recipient, since))
    }
  }
}
