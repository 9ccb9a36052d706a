/**
 * What the parts of a Twilio account share.
 */
import type { Surroundings } from "../account.ts"
import type { Holdings } from "../azure/holdings.ts"
import type { Faults } from "../fault.ts"

export interface TwilioCredentials {
  readonly accountSid: string
  readonly apiKey: string
  readonly apiKeySecret: string
  /** Signs webhooks. */
  readonly authToken: string
}

export interface Service extends TwilioCredentials {
  readonly senders: ReadonlyArray<string>
  /** All senders are in it, where there is one. */
  readonly messagingService: string | undefined
  readonly advancedOptOut: boolean
  /** By number, and by Messaging Service. */
  readonly holdings: Holdings
  readonly faults: Faults
  readonly surroundings: Surroundings
}

/** `SM` and 32 hexadecimal digits. */
export const sid = (letters: string, random: Surroundings["random"]): string => `${letters}${random.hex(32)}`
