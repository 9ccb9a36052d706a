/** The body of a request, no larger than it may be, and as its schema says. What was wrong is told by its place, never by what stands there. */
import { maskWithin } from "@stopline/consent"
import { ByteSize, Effect, Schema, SchemaIssue } from "effect"
import { HttpIncomingMessage, type HttpServerError, type HttpServerRequest } from "effect/http"
import { TooLarge, type Unprocessable, unprocessable } from "./problems.ts"

/** Of everything else. */
export const largest = ByteSize.kibibytes(256)
/** Of an import. */
export const largestImport = ByteSize.mebibytes(16)

export const readText = (
  request: HttpServerRequest.HttpServerRequest,
  limit: ByteSize.ByteSize = largest
): Effect.Effect<string, TooLarge | Unprocessable> =>
  request.text.pipe(
    Effect.provideService(HttpIncomingMessage.MaxBodySize, limit),
    Effect.mapError((error) =>
      isTooLarge(error) ? tooLarge(limit) : unprocessable("the body broke off; send it again")
    )
  )

const isTooLarge = ({ reason }: HttpServerError.HttpServerError): boolean =>
  reason._tag === "RequestParseError" && reason.reason === "BodyTooLarge"

const tooLarge = (limit: ByteSize.ByteSize) =>
  new TooLarge({ detail: `the body is larger than ${ByteSize.format(limit)}; send it in parts` })

export const readJson = Effect.fnUntraced(function* (text: string): Effect.fn.Return<unknown, Unprocessable> {
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch {
    return yield* unprocessable("the body is no JSON")
  }
})

const issues = SchemaIssue.makeFormatterStandardSchemaV1()

/** Places only: a message might repeat what was sent, and that may be somebody's number. */
export const placesOf = (error: Schema.SchemaError): string => {
  const paths = issues(error.issue).issues.map(({ path = [] }) => path.map(segment).join(".") || "the whole")
  // The name of a field that there is not was sent, too.
  return maskWithin([...new Set(paths)].slice(0, 10).join(", ").slice(0, 500))
}

const segment = (part: PropertyKey | { readonly key: PropertyKey }): string =>
  String(typeof part === "object" ? part.key : part)

/** Decodes a JSON body. */
export const readBody = <S extends Schema.ConstraintDecoder<unknown>>(schema: S) => {
  const decode = Schema.decodeUnknownEffect(schema, { onExcessProperty: "error", errors: "all" })
  return Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest) {
    const value = yield* Effect.flatMap(readText(request), readJson)
    return yield* decode(value).pipe(Effect.mapError((error) => unprocessable(wrongIn(placesOf(error)))))
  })
}

export const wrongIn = (places: string): string =>
  `the body is not as it should be in: ${places}; /v1/openapi.json says how`
