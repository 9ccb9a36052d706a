/** A webhook by somebody who knows everything but the secret. */
import type { OutgoingRequest } from "@stopline/sandbox"
import { webhookSecret } from "./worker.ts"

const guess = (text: string): string => text.replaceAll(webhookSecret, "guessed")

/** A genuine webhook, made to speak of another person, with a guess in place of the secret. */
export const forged = (genuine: OutgoingRequest, person: string): OutgoingRequest => ({
  ...genuine,
  url: guess(genuine.url),
  headers: Object.fromEntries(Object.entries(genuine.headers).map(([name, value]) => [name, guess(value)])),
  body: genuine.body.replaceAll(/1555\d{7}/g, person.slice(1)).replaceAll("START", "STOP")
})
