/**
 * The plain face of an adapter: promises and async iterables, strings and
 * numbers, for programs that do not use Effect.
 *
 * One call here is one request there, or one for each batch. It does not try
 * again and does not wait: an error says what to do next.
 */
import type { AccountName } from "@stopline/consent"
import { Clock, Effect, Exit, Scope } from "effect"
import type { CheckPort, ListPort, ProviderAdapter, WritePort } from "./adapter.ts"
import type { Capability } from "./capability.ts"
import { ProviderError, Unreadable } from "./error.ts"
import { checkAll, type Checked, writeAll, type Written } from "./plain-batch.ts"
import { plainError, ProviderConfigError, unsupported } from "./plain-error.ts"
import { type ListOptions, type OptOutPage, readPages } from "./plain-list.ts"
import { readSender } from "./plain-number.ts"
import { type Webhook, type WebhookRequest, readRequest, toWebhook } from "./plain-webhook.ts"

export interface CallOptions {
  /** Aborting it ends the call and its request; the call rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

export interface PlainProvider {
  readonly account: string
  /** Proves credentials and permission for one sender, and changes nothing. */
  readonly probe: (sender: string, options?: CallOptions) => Promise<void>
  /** One answer for each number, in order. `unknown` is not "not opted out". */
  readonly check: (
    sender: string,
    numbers: ReadonlyArray<string>,
    options?: CallOptions
  ) => Promise<ReadonlyArray<Checked>>
  /** Makes the provider hold opt-outs. One outcome for each number, in order. */
  readonly optOut: (
    sender: string,
    numbers: ReadonlyArray<string>,
    options?: CallOptions
  ) => Promise<ReadonlyArray<Written>>
  /** Makes the provider hold no opt-out. Only after the person said so. */
  readonly optIn: (
    sender: string,
    numbers: ReadonlyArray<string>,
    options?: CallOptions
  ) => Promise<ReadonlyArray<Written>>
  /** Reads a webhook request. Send the reply once you have kept the facts. */
  readonly receive: (request: WebhookRequest, options?: CallOptions) => Promise<Webhook>
  /** Ends what is in flight, and closes all connections. */
  readonly close: () => Promise<void>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

/** What a provider that lists its opt-outs can do besides. */
export interface PlainLister {
  /** The opt-outs of one sender, or of the whole account, page by page. They are all there only if the loop ends by itself. */
  readonly optOuts: (sender?: string, options?: ListOptions & CallOptions) => AsyncIterable<OptOutPage>
}

/** What a provider whose events are subscribed to through its API can do besides. */
export interface PlainSubscriber {
  /** Makes the provider send its events to this URL, which has to answer already. Safe to repeat. */
  readonly subscribe: (
    url: string,
    options?: CallOptions
  ) => Promise<{ readonly id: string; readonly missing: ReadonlyArray<{ filter: string; reason: string }> }>
}

/**
 * Opens an adapter behind the plain face.
 *
 * @throws ProviderConfigError where the configuration cannot work
 */
export const openPlain = (
  make: Effect.Effect<ProviderAdapter, { readonly message: string }, Scope.Scope>
): PlainProvider & PlainLister & PlainSubscriber => {
  const scope = Scope.makeUnsafe()
  const adapter = Effect.runSync(
    make.pipe(
      Effect.mapError(({ message }) => new ProviderConfigError(message)),
      Scope.provide(scope),
      Effect.onError(() => Scope.close(scope, Exit.void))
    )
  )
  const close = () => Effect.runPromise(Scope.close(scope, Exit.void))
  const calls =
    (port: Capability<WritePort>, operation: string): PlainProvider["optOut"] =>
    async (sender, numbers, options) =>
      run(writeAll(need(adapter.account, operation, port), readSender(sender), numbers), options)
  const { account } = adapter
  return {
    account,
    probe: async (sender, options) => run(adapter.probe(readSender(sender)), options),
    check: async (sender, numbers, options) => {
      const port: CheckPort = need(account, "check", adapter.check)
      return run(checkAll(port, readSender(sender), numbers), options)
    },
    optOut: calls(adapter.write.optOut, "optOut"),
    optIn: calls(adapter.write.optIn, "optIn"),
    optOuts: (sender, options = {}) => {
      const port: ListPort = need(account, "list", adapter.list)
      const from = sender === undefined ? undefined : readSender(sender)
      const circle = () => plainError(inCircles(account))
      return readPages(port, from, options, (page) => run(page, options), circle)
    },
    subscribe: async (url, options) => run(need(account, "subscribe", adapter.subscription).ensure(url), options),
    receive: async (request, options) => {
      const port = need(account, "receive", adapter.events)
      const received = Effect.flatMap(Clock.currentTimeMillis, (now) => port.receive(readRequest(request, now)))
      return toWebhook(await run(received, options))
    },
    close,
    [Symbol.asyncDispose]: close
  }
}

/** @throws the plain error, or the signal's reason */
const run = async <A>(call: Effect.Effect<A, ProviderError>, { signal }: CallOptions = {}): Promise<A> => {
  signal?.throwIfAborted()
  const mapped = Effect.mapError(call, plainError)
  return Effect.runPromise(mapped, signal === undefined ? {} : { signal }).catch((error: unknown) => {
    signal?.throwIfAborted()
    throw error
  })
}

const inCircles = (account: AccountName): ProviderError =>
  new ProviderError({
    account,
    operation: "list",
    reason: new Unreadable({ mayHaveApplied: false }),
    detail: "a page names one that was read before; the list has to be read from its start"
  })

const need = <Port>(account: AccountName, operation: string, capability: Capability<Port>): Port => {
  if (capability._tag === "Can") return capability.port
  throw unsupported(account, operation, capability.reason)
}
