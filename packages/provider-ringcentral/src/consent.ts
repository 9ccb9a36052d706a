/**
 * One record of the consents API, wherever it stands: in a search, in the
 * history, in an export or in an event (RingCentral OpenAPI 2026-08-13:
 * SmsOptRecord, SmsOptHistoryRecord; guide: messaging consent).
 *
 * The API's description has four coverages and shows the record of only one.
 * So an opt-out is read as one whatever it covers, and an opt-in only where it
 * covers all that its sender texts.
 */
import { everySender, parseTimestamp, type Reading } from "@stopline/consent"
import { Result, Schema } from "effect"
import { readPair } from "./pair.ts"
import { ConsentRecord, readOrigin } from "./wire.ts"

/** Fails with what is wrong, in words without a number. */
export const readConsent = (record: unknown): Result.Result<Reading, string> => {
  // Each list is made of thousands of these, and a generator for each would take most of the time that reading them takes.
  const decoded = decodeRecord(record)
  if (Result.isFailure(decoded)) return Result.fail(decoded.failure)
  const { createdAt, from, lastModifiedTime, optStatus, source, to } = decoded.success
  const covered = coverageOf(decoded.success)
  if (optStatus === "OptIn" && !whole.has(covered)) return Result.fail("it opts in to a part of the texts only")
  // An opt-out that names no sender, as one of a kind of campaign may, is one from all of them.
  const wide = accountWide.has(covered) || (optStatus === "OptOut" && from == null)
  const pair = readPair(wide ? everySender : (from ?? ""), to)
  if (Result.isFailure(pair)) return Result.fail(pair.failure)
  const at = parseTimestamp(lastModifiedTime ?? "") ?? parseTimestamp(createdAt ?? "")
  return Result.succeed({
    ...pair.success,
    state: optStatus === "OptOut" ? "opted-out" : "opted-in",
    origin: readOrigin(source),
    ...(at !== undefined && { at })
  })
}

/** The export writes `Company` where the API writes `Account`, and the guide `phoneNumber` where the API writes `PhoneNumber`. */
const accountWide: ReadonlySet<string> = new Set(["account", "company"])
const whole: ReadonlySet<string> = new Set(["", "phonenumber", ...accountWide])

/** What is published of a record names no coverage, so one of a kind of campaign may say so by its `campaignType` alone. */
const coverageOf = ({ campaignType, coverage }: ConsentRecord): string =>
  coverage?.toLowerCase() || (campaignType ? "campaigntype" : "")

const decodeRecord = (record: unknown) =>
  Result.mapError(decode(record), () => "it is no consent record: from, to or optStatus cannot be read")
const decode = Schema.decodeUnknownResult(ConsentRecord)
