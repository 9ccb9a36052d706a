/**
 * Making RingCentral hold a state: POST …/a2p-sms/opt-outs/bulk-assign
 * (RingCentral OpenAPI 2026-08-13, deprecated since 2025-05).
 *
 * RingCentral says 200 also when some or all recipients failed.
 */
import { parseRecipient, type Recipient, type SenderAddress } from "@stopline/consent"
import type { WriteOutcome, WritePort } from "@stopline/provider"
import { Effect, Option } from "effect"
import { writeApart } from "./apart.ts"
import type { Client } from "./client.ts"
import type { ResolvedConfig } from "./config.ts"
import { quote, retryable } from "./outcome.ts"
import { BulkAssigned } from "./wire.ts"

export const makeWritePort = (client: Client, config: ResolvedConfig, operation: "optOut" | "optIn"): WritePort => ({
  // RingCentral publishes no maximum.
  maxRecipients: config.recipients ?? 100,
  concurrency: config.concurrency,
  except: () => undefined,
  write: (sender, recipients) => writeApart(recipients, (part) => assign(client, operation, sender, part))
})

const assign = Effect.fn("RingCentral.assign")(function* (
  client: Client,
  operation: "optOut" | "optIn",
  sender: SenderAddress,
  recipients: ReadonlyArray<Recipient>
) {
  const list = operation === "optOut" ? "optOuts" : "optIns"
  const answer = yield* client.ask(
    {
      operation,
      method: "POST",
      path: `${client.a2p}/opt-outs/bulk-assign`,
      body: { from: sender, [list]: recipients },
      writes: true
    },
    BulkAssigned
  )
  const successful = new Set((answer[list]?.successful ?? []).flatMap((to) => Option.toArray(parseRecipient(to))))
  const failed = new Map(
    (answer[list]?.failed ?? []).flatMap(({ errorMessage, to }) =>
      Option.toArray(parseRecipient(to ?? "")).map((recipient) => [recipient, errorMessage ?? ""] as const)
    )
  )
  return recipients.map((recipient): WriteOutcome => {
    const failure = failed.get(recipient)
    if (failure === undefined) {
      return successful.has(recipient)
        ? { _tag: "Held", recipient }
        : retryable(recipient, "RingCentral's answer leaves this recipient out", true)
    }
    return successful.has(recipient)
      ? retryable(recipient, "RingCentral's answer says both that it succeeded and that it failed", true)
      : retryable(recipient, quote(failure), false)
  })
})
