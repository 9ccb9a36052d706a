/** Opens what a capability offers, or fails the test with the reason it gives instead. */
import type { Capability } from "@stopline/provider"
import { Recipient, SenderAddress } from "@stopline/consent"

export const open = <Port>(capability: Capability<Port>): Port => {
  if (capability._tag === "Can") return capability.port
  throw new Error(`${capability._tag}: ${capability.reason}`)
}

/** What can be asked of either generation of the API is asked of both. */
export const generations = ["v1", "v2"] as const
export type Generation = (typeof generations)[number]

export const sender = SenderAddress.make("+16505550100")
export const otherSender = SenderAddress.make("+16505550199")

/** `+12125550000` and so on. */
export const person = (index: number): Recipient => Recipient.make(`+1212555${String(index).padStart(4, "0")}`)
