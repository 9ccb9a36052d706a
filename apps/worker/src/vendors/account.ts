/** What every account in the configuration has. */
import { AccountName, SenderAddress } from "@stopline/consent"
import { Schema } from "effect"
import { Interval, Patience } from "../span.ts"

export const common = {
  name: AccountName,
  senders: Schema.Array(SenderAddress)
    .check(Schema.isMinLength(1))
    .annotateKey({ description: "Numbers in E.164 and short codes, in quotes" }),
  timeout: Schema.optionalKey(Interval).annotateKey({ description: "For one request: 30 seconds" }),
  settle: Schema.optionalKey(Patience).annotateKey({
    description: "How long after a write of ours a read there is not believed"
  })
}
