/** What stands in the gaps of sentences. */
import { Schema, SchemaTransformation } from "effect"

/** Words in quotes. */
export const Quoted = Schema.String.check(
  Schema.isPattern(/^"[^"]+"$/u, { message: 'Expected words in quotes, such as "STOP"' })
).pipe(
  Schema.decodeTo(
    Schema.String,
    SchemaTransformation.transform({ decode: (text: string) => text.slice(1, -1), encode: (text) => `"${text}"` })
  )
)

export const Count = Schema.FiniteFromString.check(Schema.isInt(), Schema.isGreaterThanOrEqualTo(0))
