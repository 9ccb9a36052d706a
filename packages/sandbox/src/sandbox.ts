/**
 * The world behind ports: one origin for each account, one to control it all.
 */
import { Effect, type Scope } from "effect"
import type { EventGridSubscription } from "./azure/events.ts"
import { answerControl } from "./control.ts"
import { startCourier } from "./courier.ts"
import type { SandboxError } from "./error.ts"
import { post, serve } from "./http.ts"
import type { SandboxOptions } from "./options.ts"
import { perform } from "./perform.ts"
import type { TwilioAccount } from "./twilio/account.ts"
import { type AnyAccount, type World, makeWorld } from "./world.ts"

/** What a client of the account needs. The secrets open nothing but this sandbox. */
export type SandboxAccount =
  | {
      readonly vendor: "azure"
      readonly name: string
      /** Its origin, without a slash at the end. */
      readonly url: string
      readonly senders: ReadonlyArray<string>
      readonly credentials: { readonly connectionString: string; readonly accessKey: string }
    }
  | {
      readonly vendor: "ringcentral"
      readonly name: string
      readonly url: string
      readonly senders: ReadonlyArray<string>
      readonly credentials: { readonly clientId: string; readonly clientSecret: string; readonly jwt: string }
    }
  | {
      readonly vendor: "twilio"
      readonly name: string
      readonly url: string
      readonly senders: ReadonlyArray<string>
      readonly credentials: TwilioAccount["credentials"]
    }

export interface Sandbox extends Omit<World, "accounts" | "onDelivery" | "handle" | "subscribe" | "tick"> {
  readonly controlUrl: string
  readonly accounts: ReadonlyArray<SandboxAccount>
  /** Subscribes a webhook to an Azure account's events, after its handshake. */
  readonly subscribe: (wish: EventGridSubscription) => Effect.Effect<{ readonly id: string }, SandboxError>
}

const describe = (account: AnyAccount, url: string): SandboxAccount => {
  const { name, senders } = account
  switch (account.vendor) {
    case "azure": {
      const { accessKey } = account
      const connectionString = `endpoint=${url}/;accesskey=${accessKey}`
      return { vendor: "azure", name, url, senders, credentials: { connectionString, accessKey } }
    }
    case "ringcentral": {
      const { clientId, clientSecret, jwt } = account
      return { vendor: "ringcentral", name, url, senders, credentials: { clientId, clientSecret, jwt } }
    }
    case "twilio":
      return { vendor: "twilio", name, url, senders, credentials: account.credentials }
  }
}

/** Opens all ports on 127.0.0.1; closing the scope ends every connection and every delivery. */
export const startSandbox = Effect.fn("startSandbox")(function* (
  options: SandboxOptions = {}
): Effect.fn.Return<Sandbox, SandboxError, Scope.Scope> {
  const { accounts, handle: _, onDelivery, tick, ...world } = yield* makeWorld(options)
  yield* startCourier({ onDelivery }, post)
  yield* Effect.forkScoped(Effect.forever(Effect.andThen(Effect.sleep("1 minute"), tick)))
  const ports = new Map(options.accounts?.map(({ name, port }) => [name, port]))
  const opened = yield* Effect.forEach(accounts, (account) =>
    Effect.map(
      serve(
        ports.get(account.name) ?? 0,
        (request) => perform(account.handle(request), post),
        account.vendor === "ringcentral" ? account.connect : undefined
      ),
      (url) => describe(account, url)
    )
  )
  const subscribe = (wish: EventGridSubscription) => world.subscribe(wish, post)
  const sandbox = { ...world, subscribe, accounts: opened }
  const controlUrl = yield* serve(options.controlPort ?? 0, (request) => answerControl(sandbox, request))
  return { ...sandbox, controlUrl }
})
