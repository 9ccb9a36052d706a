/**
 * What passes between the senders of an account and the people, and the webhook
 * that tells of it. Writes through the API cause no webhook: none is documented.
 */
import type { Heard, Sent } from "../account.ts"
import type { Message } from "./inbox.ts"
import { hear } from "./keywords.ts"
import { type Service, sid } from "./service.ts"
import { deliveryTo, type Parameters, type TwilioWebhook } from "./webhook.ts"

export class Traffic {
  readonly #service: Service
  #webhook: TwilioWebhook | undefined
  /** Oldest first. */
  readonly messages: Array<Message> = []

  constructor(service: Service) {
    this.#service = service
  }

  /** A person who stops one number of a Messaging Service stops all of it (Twilio support, article 223133627). */
  receive(sender: string, person: string, text: string): Heard {
    const { advancedOptOut, holdings, surroundings } = this.#service
    const at = surroundings.now()
    const heard = hear(sender, text)
    const moved = this.#sides(sender).map((side) => {
      if (heard?.action === "opt-out") return holdings.optOut(side, person, "Recipient", at)
      return heard?.action === "opt-in" && holdings.optIn(side, person, at)
    })
    const message = this.#keep({ direction: "inbound", from: person, to: sender, text, status: "received" })
    this.#tell(sender, person, {
      ...this.#common(message),
      SmsStatus: "received",
      Body: text,
      NumMedia: "0",
      NumSegments: "1",
      FromCountry: "US",
      ToCountry: "US",
      ...(advancedOptOut && heard !== undefined && { OptOutType: heard.type })
    })
    const { action, keyword } = heard ?? {}
    return {
      messageId: message.sid,
      ...(keyword !== undefined && { keyword }),
      ...(action !== undefined && { action }),
      changed: moved.includes(true)
    }
  }

  /**
   * The API itself refuses a blocked text with 400, unless it goes through a
   * Messaging Service; whether a status callback follows then is not found. Here
   * one always does.
   */
  send(sender: string, person: string): Sent {
    const blocked = this.isOptedOut(sender, person)
    const message = this.#keep({
      direction: "outbound-api",
      from: sender,
      to: person,
      text: "",
      status: blocked ? "failed" : "delivered",
      ...(blocked && { errorCode: 21_610 })
    })
    this.#tell(sender, person, {
      ...this.#common(message),
      SmsStatus: message.status,
      MessageStatus: message.status,
      ...(blocked && { ErrorCode: "21610" })
    })
    return {
      status: 202,
      messageId: message.sid,
      delivered: !blocked,
      detail: blocked ? "failed: 21610" : "delivered"
    }
  }

  isOptedOut(sender: string, person: string): boolean {
    return this.#sides(sender).some((side) => this.#service.holdings.isOptedOut(side, person))
  }

  listen(webhook: TwilioWebhook): void {
    this.#webhook = webhook
  }

  webhooks(): ReadonlyArray<{ readonly id: string; readonly url: string; readonly status: "Active" }> {
    return this.#webhook === undefined ? [] : [{ id: "webhook", url: this.#webhook.url, status: "Active" }]
  }

  #sides(sender: string): ReadonlyArray<string> {
    const { messagingService } = this.#service
    return messagingService === undefined ? [sender] : [sender, messagingService]
  }

  #keep(message: Omit<Message, "sid" | "at" | "errorCode"> & { readonly errorCode?: number }): Message {
    const { now, random } = this.#service.surroundings
    const kept = { errorCode: null, ...message, sid: sid("SM", random), at: now() }
    this.messages.push(kept)
    return kept
  }

  #common({ from, sid, to }: Message): Parameters {
    const { accountSid, messagingService } = this.#service
    return {
      MessageSid: sid,
      SmsSid: sid,
      AccountSid: accountSid,
      From: from,
      To: to,
      ApiVersion: "2010-04-01",
      ...(messagingService !== undefined && { MessagingServiceSid: messagingService })
    }
  }

  #tell(sender: string, person: string, parameters: Parameters): void {
    const { authToken, faults, surroundings } = this.#service
    if (this.#webhook === undefined) return
    const delivery = deliveryTo(this.#webhook, authToken, parameters)
    for (let copies = faults.copies(sender, person); copies > 0; copies--) surroundings.deliver(delivery)
  }
}
