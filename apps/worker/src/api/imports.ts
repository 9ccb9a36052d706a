/** People who opted out elsewhere, as JSON rows or as a CSV: the rules of `stopline import`. */
import { everySender, isCountry } from "@stopline/consent"
import { Fleet, importOptOuts, ownerOf, type OptedOutAt, type OptOutRow } from "@stopline/engine"
import { Clock, Effect, Result, Schema, Stream } from "effect"
import type { HttpServerRequest } from "effect/http"
import { type FileContext, openOptOuts, type OptOutFile, readCells, type Refused } from "../people/optouts.ts"
import { parseWhen, whenExample } from "../people/when.ts"
import { queryOf } from "../query.ts"
import { Caller } from "./authorise.ts"
import { largestImport, placesOf, readJson, readText, wrongIn } from "./body.ts"
import { unprocessable } from "./problems.ts"
import { findSender, stationsOf } from "./sender.ts"
import { ImportQuery, ImportRequest } from "./shapes.ts"

type Wherever = typeof ImportQuery.Type

type List = Omit<OptOutFile, "source">

/** Their list is held in memory and sent in one piece, and a body has room for millions. */
const mostRefused = 1_000

const parameters = Object.keys(ImportQuery.fields).join(", ")

export const runImport = Effect.fnUntraced(
  function* (wherever: Wherever, request: HttpServerRequest.HttpServerRequest) {
    const unknown = [...queryOf(request.originalUrl).keys()].filter((name) => !Object.hasOwn(ImportQuery.fields, name))
    // Left aside, a list meant for one account would count for every account.
    if (unknown.length > 0) {
      return yield* unprocessable(
        `the query has what there is not: it may name ${parameters}; /v1/openapi.json says how`
      )
    }
    const context = yield* contextOf(wherever)
    const type = (request.headers["content-type"] ?? "application/json").split(";")[0]?.trim().toLowerCase()
    if (type !== "text/csv" && type !== "application/json") {
      return yield* unprocessable("send application/json or text/csv, and say which in content-type")
    }
    const text = yield* readText(request, largestImport)
    const list: List = yield* type === "text/csv" ? readCsv(text, context) : readRows(text, context)
    const report = yield* importOptOuts({
      name: "http",
      // What is told of a time that is not over yet, the same body may tell again of something that has happened since.
      source: `http@${context.now}`,
      startedBy: `http:${yield* Caller}`,
      rows: list.rows,
      rowCount: list.count,
      refused: list.refusedCount
    })
    return { ...report, refused: list.refused, refusedCount: list.refusedCount, unused: list.unused }
  },
  Effect.catchTag("PeopleError", ({ problem }) => Effect.fail(unprocessable(problem)))
)

const contextOf = Effect.fnUntraced(function* ({ account, at, country, sender }: Wherever) {
  const { stations } = yield* Fleet
  const now = yield* Clock.currentTimeMillis
  if (country !== undefined && !isCountry(country)) return yield* unprocessable("country is two letters such as US")
  const time = at === undefined ? undefined : parseWhen(at)
  if (at !== undefined && time === undefined) {
    return yield* unprocessable(`at is no time; write it with its zone, as ${whenExample}`)
  }
  if (time !== undefined && time.notBefore > now) {
    return yield* unprocessable("at lies in the future; give the time at which these people opted out")
  }
  const chosen = yield* stationsOf(stations, account)
  const one = sender === undefined ? undefined : yield* findSender(chosen, { sender })
  const context: FileContext = {
    country,
    now,
    time,
    mostRefused,
    undated: "it does not say when; give opted_out_at, or ?at= for all rows that have none",
    places:
      one === undefined
        ? chosen.map((station): OptedOutAt => ({ account: station.account, sender: everySender }))
        : [{ account: one.account, sender: one.address }],
    find: (address) =>
      Result.match(ownerOf(chosen, address), {
        onFailure: ({ why }) =>
          why === "unknown" ? "its sender is none of yours" : "two accounts have its sender; say which with ?account=",
        onSuccess: (station): OptedOutAt => ({ account: station.account, sender: address })
      })
  }
  return context
})

const readCsv = (text: string, context: FileContext) =>
  openOptOuts("the list", () => Stream.fromIterable(text.split(/\r\n|\n|\r/)), context)

const decodeRows = Schema.decodeUnknownEffect(ImportRequest, { onExcessProperty: "error" })

const readRows = Effect.fnUntraced(function* (text: string, context: FileContext) {
  const value = yield* readJson(text)
  const { rows } = yield* decodeRows(value).pipe(Effect.mapError((error) => unprocessable(wrongIn(placesOf(error)))))
  const good: Array<OptOutRow> = []
  const refused: Array<Refused> = []
  let refusedCount = 0
  for (const [index, cells] of rows.entries()) {
    const row = readCells((column) => cells[column], context)
    if (typeof row !== "string") good.push(row)
    else if (refusedCount++ < mostRefused) refused.push({ line: index + 1, why: row })
  }
  const list: List = { count: good.length, refused, refusedCount, unused: [], rows: Stream.fromIterable(good) }
  return list
})
