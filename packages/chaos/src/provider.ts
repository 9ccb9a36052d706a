/** The providers in a process of their own: `node provider.ts <seed> <control port>`. */
import { NodeRuntime } from "@effect/platform-node"
import { type AccountOptions, startSandbox } from "@stopline/sandbox"
import { Effect } from "effect"
import { azure, azureSenders, ringcentral, ringcentralSenders } from "./accounts.ts"

/** Event Grid tries for a day; so often that nothing has to wait long for it here. */
const retryDelays = [250, 500, ...Array.from({ length: 600 }, () => 1_000)]

const [seed, controlPort] = process.argv.slice(2).map(Number)

const accounts: ReadonlyArray<AccountOptions> = [
  { vendor: "azure", name: azure, senders: azureSenders, retryDelays },
  // A webhook that fails for long is given up, and has to be made anew.
  { vendor: "ringcentral", name: ringcentral, senders: ringcentralSenders, blacklistAfter: 30 }
]

startSandbox({ seed: seed ?? 1, people: 0, optedOut: 0, controlPort: controlPort ?? 0, accounts }).pipe(
  Effect.andThen(Effect.never),
  Effect.scoped,
  NodeRuntime.runMain
)
