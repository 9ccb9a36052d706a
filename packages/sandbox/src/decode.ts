/**
 * Reading what came from outside, and naming the first thing wrong with it.
 */
import { Result, Schema, SchemaIssue } from "effect"

export interface Problem {
  /** Where: the name of the field or parameter, empty for the whole. */
  readonly field: string
  readonly message: string
}

const format = SchemaIssue.makeFormatterStandardSchemaV1()

export const reader = <S extends Schema.ConstraintDecoder<unknown>>(schema: S) => {
  const decode = Schema.decodeUnknownResult(schema)
  return (input: unknown): Result.Result<S["Type"], Problem> =>
    Result.mapError(decode(input), (error) => {
      const [first] = format(error.issue).issues
      return { field: first?.path?.map(String).join(".") ?? "", message: first?.message ?? "Expected something else" }
    })
}

/** Reads a text as JSON first. */
export const jsonReader = <S extends Schema.ConstraintDecoder<unknown>>(schema: S) =>
  reader(Schema.fromJsonString(schema))

/** The query as a record; of a parameter given twice, the last. */
export const queryRecord = (query: string): Readonly<Record<string, string>> =>
  Object.fromEntries(new URLSearchParams(query))
