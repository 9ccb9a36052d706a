/** The accounts this process works for: each with its adapter, its ids, and one gate per lane. */
import type { SenderAddress } from "@stopline/consent"
import type { RegisteredAccount, RegisteredSender, Registry } from "@stopline/ledger"
import type { ProviderAdapter, ProviderError } from "@stopline/provider"
import { Context, Layer, Semaphore } from "effect"
import type { EngineSettings } from "./settings.ts"

export interface Station {
  readonly account: RegisteredAccount
  readonly adapter: ProviderAdapter
}

export class Fleet extends Context.Service<
  Fleet,
  {
    readonly stations: ReadonlyArray<Station>
    readonly settings: EngineSettings
    /** Who this process is, for a message to a person: `worker@host:4711`. */
    readonly owner: string
    /** One permit per lane within this process; between processes the ledger decides. */
    readonly gate: (lane: string) => Semaphore.Semaphore
    /** After which recipient of a sender evidence is looked for next, by the sender's id. */
    readonly turns: Map<number, number>
    /** Behind which recipient the next apply begins, by the sender's id and the direction: those before were refused. */
    readonly passed: Map<string, { readonly recipient: number; readonly error: ProviderError }>
  }
>()("@stopline/engine/Fleet") {
  static readonly make = (
    registry: Registry,
    adapters: ReadonlyArray<ProviderAdapter>,
    settings: EngineSettings,
    owner: string
  ): Fleet["Service"] => {
    const gates = new Map<string, Semaphore.Semaphore>()
    const stations = registry.accounts.flatMap((account) => {
      const adapter = adapters.find((candidate) => candidate.account === account.name)
      return adapter === undefined ? [] : [{ account, adapter }]
    })
    return {
      stations,
      settings,
      owner,
      turns: new Map(),
      passed: new Map(),
      gate: (lane) => {
        const known = gates.get(lane)
        if (known !== undefined) return known
        const made = Semaphore.makeUnsafe(1)
        gates.set(lane, made)
        return made
      }
    }
  }

  static readonly layer = (fleet: Fleet["Service"]): Layer.Layer<Fleet> => Layer.succeed(Fleet, fleet)
}

/** The configured senders of a station; one of them when it is named. */
export const sendersOf = (station: Station, only?: SenderAddress): ReadonlyArray<RegisteredSender> =>
  station.account.senders.filter((sender) => only === undefined || sender.address === only)

export const laneOf = (sender: RegisteredSender): string => `write:${sender.account}/${sender.address}`
