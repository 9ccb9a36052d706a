/** The sandbox as the fake on which the laws of adapters are tried. */
import { Recipient, SenderAddress } from "@stopline/consent"
import {
  type Asked,
  CannotFake,
  cannotFake,
  type Fake,
  type FakeEvents,
  type Fault,
  openRelay
} from "@stopline/provider-testkit"
import * as Sandbox from "@stopline/sandbox"
import { Duration, Effect, Schema } from "effect"

interface SandboxFake extends Fake {
  readonly account: Sandbox.SandboxAccount
  /** Where the adapter is to look for the provider. */
  readonly url: string
}

export interface Vendor {
  readonly options: Sandbox.AccountOptions
  /** What the sandbox calls an operation; of several requests, the first. */
  readonly operations: Readonly<Partial<Record<Asked, Sandbox.Operation>>>
  readonly secrets: (account: Sandbox.SandboxAccount) => ReadonlyArray<string>
  /** How logging in is seen in the log. */
  readonly login?: string
  readonly atFirst?: number
  readonly events: (sandbox: Sandbox.Sandbox, account: Sandbox.SandboxAccount) => FakeEvents
}

export const sandboxFake = Effect.fn("sandboxFake")(function* (vendor: Vendor) {
  const { name, senders } = vendor.options
  const sandbox = yield* Sandbox.startSandbox({ accounts: [vendor.options], optedOut: 0 })
  const [account] = sandbox.accounts
  const [sender] = senders
  if (account === undefined || sender === undefined) return yield* Effect.die("the sandbox has no account")
  const relay = yield* openRelay(account.url)
  const fake: SandboxFake = {
    account,
    url: relay.url,
    sender: SenderAddress.make(sender),
    people: Schema.decodeSync(Schema.Array(Recipient))(sandbox.people),
    secrets: vendor.secrets(account),
    seed: (recipients) => Effect.orDie(sandbox.edit({ account: name, sender, action: "opt-out", recipients })),
    // Of all senders there are: whoever is held for a whole service is not let go either.
    held: Effect.orDie(sandbox.state(name)).pipe(
      Effect.map(({ senders: all }) => [...new Set(all.flatMap(({ optedOut }) => optedOut))])
    ),
    log: Effect.map(relay.log, (lines) => lines.filter((line) => line !== vendor.login)),
    ...(vendor.atFirst !== undefined && { atFirst: vendor.atFirst }),
    inFlight: relay.inFlight,
    hangUp: relay.hangUp,
    text: (from, text) => Effect.orDie(sandbox.text({ from, to: sender, text })),
    events: vendor.events(sandbox, account),
    fault: (operation, fault) => {
      if (fault.kind === "unreachable") return relay.close
      if (fault.kind === "denied") return relay.answerNext(403)
      if (fault.kind === "refused") return relay.answerNext(404)
      const asked = vendor.operations[operation]
      if (asked === undefined) return cannotFake(`${account.vendor} has no ${operation}`)
      return sandbox
        .fault({ account: name, operation: asked, ...translate(fault) })
        .pipe(Effect.mapError(({ problem }) => new CannotFake({ reason: problem })))
    }
  }
  return fake
})

type Here = Exclude<Fault, { readonly kind: "unreachable" | "denied" | "refused" }>
type Translated = Sandbox.Fault extends infer F ? (F extends unknown ? Omit<F, "account"> : never) : never

const translate = (fault: Here): Translated => {
  switch (fault.kind) {
    case "throttled":
      return fault.retryAfter === undefined
        ? { kind: "throttle", form: "none", times: 1 }
        : { kind: "throttle", retryAfter: Duration.toSeconds(fault.retryAfter), times: 1 }
    case "unavailable":
      return { kind: "unavailable", applied: fault.applied, times: 1 }
    case "html":
      return { kind: "html-200", applied: fault.applied, times: 1 }
    case "hang":
      return { kind: "hang", applied: fault.applied, times: 1 }
    case "cut":
      return { kind: fault.applied ? "drop-after-apply" : "drop-before", times: 1 }
    case "itemRefused":
      return { kind: "item-refused", recipient: fault.recipient }
    case "itemMissing":
      return { kind: "item-missing", recipient: fault.recipient, applied: fault.applied }
    case "batchRefused":
      return { kind: "invalid-input", recipient: fault.recipient }
    case "emptyPage":
      return { kind: "empty-page", times: 1 }
    case "repeatedToken":
      return { kind: "repeat-token", times: 1 }
    default:
      return { kind: "forgotten-token", times: 1 }
  }
}
