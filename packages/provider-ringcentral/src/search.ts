/**
 * What RingCentral holds, by POST …/sms/consents/search (RingCentral OpenAPI
 * 2026-08-13): the opt-outs of an account page by page, and what is recorded of
 * single people.
 */
import { everySender, parseRecipient, type Reading, type Recipient, type SenderAddress } from "@stopline/consent"
import type {
  CheckAnswer,
  CheckPort,
  ListPort,
  Operation,
  Page,
  PageRequest,
  ProviderError,
  RowProblem
} from "@stopline/provider"
import { Effect, Option, Result, Schema } from "effect"
import type { Call, Client } from "./client.ts"
import { readConsent } from "./consent.ts"
import { askPage, cursorMark } from "./page.ts"
import { readAllRows } from "./rows.ts"

const maxPage = 1000
/** RingCentral OpenAPI: numbers in one filter. */
const maxRecipients = 20

export const makeSearchListPort = (client: Client): ListPort => ({
  maxPage,
  coverage: "complete",
  page: (request) => searchPage(client, "list", request)
})

const searchFor = (client: Client, operation: Operation, body: object): Call => ({
  operation,
  method: "POST",
  path: `${client.consents}/search`,
  body,
  writes: false
})

export const searchPage: (
  client: Client,
  operation: "list" | "probe",
  request: PageRequest
) => Effect.Effect<Page, ProviderError> = Effect.fn("RingCentral.searchPage")(function* (
  client,
  operation,
  { cursor, sender, size }
) {
  // A token of one generation may well look like one of the other, and lead to another place there.
  const token = cursor?.startsWith(cursorMark) === true ? cursor.slice(cursorMark.length) : undefined
  const call = searchFor(client, operation, {
    // Said, because what a search without it shows is not published.
    optStatus: "OptOut",
    perPage: Math.min(Math.max(size, 1), maxPage),
    ...(sender !== undefined && { from: [sender] }),
    ...(token !== undefined && { pageToken: token })
  })
  if (cursor !== undefined && token === undefined) {
    return yield* client.unreadable(call, "the page token is of the older API; the list has to be read from its start")
  }
  const { next, records } = yield* askPage(client, call, token)
  const readings: Array<Reading> = []
  const problems: Array<RowProblem> = []
  for (const [index, record] of records.entries()) {
    const row = readConsent(record)
    if (Result.isSuccess(row)) readings.push(row.success)
    else problems.push({ row: `records[${index}]`, reason: row.failure })
  }
  return {
    readings,
    problems,
    next: next._tag === "End" ? next : { _tag: "More", cursor: cursorMark + next.cursor }
  }
})

export const makeSearchCheckPort = (client: Client): CheckPort => ({
  maxRecipients,
  check: (sender, recipients) =>
    recipients.length === 0 ? Effect.succeed([]) : checkSome(client, sender, [...new Set(recipients)], recipients)
})

const checkSome = Effect.fn("RingCentral.searchCheck")(function* (
  client: Client,
  sender: SenderAddress,
  people: ReadonlyArray<Recipient>,
  asked: ReadonlyArray<Recipient>
) {
  // Not filtered by sender: whether an account-wide record is shown under a sender's number is not published.
  const rows = yield* readAllRows(client, (cursor) =>
    searchFor(client, "check", { to: people, perPage: maxPage, ...(cursor !== undefined && { pageToken: cursor }) })
  )
  const read = rows.map(readConsent)
  const unclear = new Set(read.flatMap((row, index) => (Result.isFailure(row) ? [whose(rows[index])] : [])))
  const byRecipient = Map.groupBy(
    read
      .flatMap((row) => (Result.isSuccess(row) ? [row.success] : []))
      .filter((reading) => reading.sender === sender || reading.sender === everySender),
    ({ recipient }) => recipient
  )
  return asked.map((recipient): CheckAnswer => {
    const about = byRecipient.get(recipient) ?? []
    // A row of which not even the person can be read may be anybody's.
    const understood = !unclear.has(recipient) && !unclear.has(undefined)
    // Which of two records decides is not published: the opt-out wins.
    const held = about.find(({ state }) => state === "opted-out") ?? about[0]
    if (held?.state === "opted-out" || (held !== undefined && understood)) {
      return { _tag: "Known", recipient, reading: { ...held, sender } }
    }
    // No record is an answer: no opt-out. But a row that nobody could read may be the one that is missing.
    return understood
      ? { _tag: "Known", recipient, reading: { sender, recipient, state: "opted-in", origin: "unknown" } }
      : { _tag: "Unanswered", recipient, detail: "a part of RingCentral's answer could not be understood" }
  })
})

/** Whom a row is about that cannot be understood. */
const whose = (row: unknown): Recipient | undefined =>
  Option.getOrUndefined(Option.flatMap(decodePerson(row), ({ to }) => parseRecipient(to)))
const decodePerson = Schema.decodeUnknownOption(Schema.Struct({ to: Schema.String }))
