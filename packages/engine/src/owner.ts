/** Whose a sender is: what people name without naming its account. */
import { mask, type SenderAddress } from "@stopline/consent"
import { Result, Schema } from "effect"
import type { Station } from "./fleet.ts"

/** A sender that nobody here has, or that more than one account has. The message names the cure. */
export class SenderUnclear extends Schema.TaggedError<SenderUnclear>()("SenderUnclear", {
  why: Schema.Literals(["unknown", "ambiguous"]),
  sender: Schema.String,
  accounts: Schema.Array(Schema.String)
}) {
  /** Masked: somebody may have put a person's number in the place of a sender. */
  override get message(): string {
    const accounts = this.accounts.join(", ")
    return this.why === "unknown"
      ? `${mask(this.sender)} is no sender of ${accounts}; \`stopline doctor\` lists the senders`
      : `${mask(this.sender)} is a sender of ${accounts}; say which with --account`
  }
}

/** The one station that has this sender. */
export const ownerOf = (
  stations: ReadonlyArray<Station>,
  sender: SenderAddress
): Result.Result<Station, SenderUnclear> => {
  const owners = stations.filter((station) => station.account.senders.some((one) => one.address === sender))
  const [owner] = owners
  if (owner !== undefined && owners.length === 1) return Result.succeed(owner)
  const accounts = (owner === undefined ? stations : owners).map((station) => station.account.name)
  return Result.fail(new SenderUnclear({ why: owner === undefined ? "unknown" : "ambiguous", sender, accounts }))
}
