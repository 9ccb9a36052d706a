/** What Azure sends to a webhook when somebody texts one of its senders. */
import { azure, secrets, tenDlc } from "./world.ts"

export const azurePath = `/webhooks/${azure}?code=${secrets.CONTOSO_WEBHOOK_SECRET}`

export interface Texted {
  readonly person: string
  readonly id: string
  readonly message?: string
  readonly to?: string
  /** ISO 8601. */
  readonly at?: string
}

export const textToAzure = (texted: Texted) => {
  const { at = "2026-05-04T10:11:12.345Z", id, message = "STOP", person, to = tenDlc } = texted
  return [
    {
      id,
      topic: "/subscriptions/none",
      subject: "/phonenumber/none",
      eventType: "Microsoft.Communication.SMSReceived",
      eventTime: at,
      data: { messageId: id, from: person, to, message, receivedTimestamp: at },
      dataVersion: "1.0",
      metadataVersion: "1"
    }
  ]
}
