/** Stopline as it is built in the worker, over one ledger and two providers, with limits that nobody reaches. */
import { AccountName, SenderAddress } from "@stopline/consent"
import { defaultSettings, type EngineSettings, Fleet, sharedGates, type Station } from "@stopline/engine"
import { Connection, register } from "@stopline/ledger"
import { makeAzureAdapter } from "@stopline/provider-azure"
import { makeRingCentralAdapter, openRingCentralCredentials } from "@stopline/provider-ringcentral"
import { Duration, Effect, Layer, Redacted } from "effect"
import type { Providers } from "./providers.ts"

const unlimited = { requests: 1_000_000, window: Duration.seconds(1) }

export interface Wishes {
  /** Of each account; absent: all it has. */
  readonly azure?: ReadonlyArray<string>
  readonly ringcentral?: ReadonlyArray<string>
  readonly limits?: { readonly requests: number; readonly window: Duration.Duration }
  readonly recipients?: number
  readonly settings?: Partial<EngineSettings>
}

const names = { azure: AccountName.make("contoso"), ringcentral: AccountName.make("acme") }

export const stopline = (url: string, providers: Providers, wishes: Wishes = {}): Layer.Layer<Fleet | Connection> =>
  Layer.effect(
    Fleet,
    Effect.gen(function* () {
      const { azure, ringcentral } = providers
      const limits = wishes.limits ?? unlimited
      const gates = yield* sharedGates
      const adapters = [
        yield* makeAzureAdapter({
          account: names.azure,
          connectionString: Redacted.make(azure.credentials.connectionString),
          limits
        }),
        yield* makeRingCentralAdapter(
          {
            account: names.ringcentral,
            server: ringcentral.url,
            // Said, so that no request is spent on finding it out.
            api: "v2",
            clientId: ringcentral.credentials.clientId,
            clientSecret: Redacted.make(ringcentral.credentials.clientSecret),
            jwt: Redacted.make(ringcentral.credentials.jwt),
            limits: { ...limits, ...(wishes.recipients !== undefined && { recipients: wishes.recipients }) }
          },
          undefined,
          yield* openRingCentralCredentials(gates("ringcentral"))
        )
      ]
      const accounts = [
        {
          name: names.azure,
          vendor: "azure",
          senders: (wishes.azure ?? azure.senders).map((sender) => SenderAddress.make(sender))
        },
        {
          name: names.ringcentral,
          vendor: "ringcentral",
          senders: (wishes.ringcentral ?? ringcentral.senders).map((sender) => SenderAddress.make(sender))
        }
      ]
      const brand = {
        name: "brand",
        members: accounts.flatMap(({ name, senders }) => senders.map((sender) => ({ account: name, sender })))
      }
      const settings = { ...defaultSettings, ...wishes.settings }
      const registry = yield* register(accounts, [brand], settings.policy, 0)
      return Fleet.make(registry, adapters, settings, "bench")
    })
  ).pipe(Layer.provideMerge(Connection.layer(Redacted.make(url))), Layer.orDie)

export const stationOf = (vendor: keyof typeof names): Effect.Effect<Station, never, Fleet> =>
  Effect.flatMap(Fleet, ({ stations }) =>
    Effect.fromNullishOr(stations.find(({ account }) => account.name === names[vendor])).pipe(Effect.orDie)
  )
