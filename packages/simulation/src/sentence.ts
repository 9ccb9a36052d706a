/** Sentences with gaps, such as `{person} texts {words} to {sender}`, and what they mean. */
import { Result, Schema, SchemaIssue } from "effect"

export interface Sentence<Meaning> {
  readonly shape: string
  /** Undefined: these are other words. A failure: the words are right, and what stands in a gap is not. */
  readonly read: (text: string) => Result.Result<Meaning, string> | undefined
}

/**
 * @param shape `{…}` is a gap, `(s)` may be left out
 * @param gaps how each gap is read, in their order
 */
export const sentence = <const Gaps extends ReadonlyArray<Schema.ConstraintDecoder<unknown>>, Meaning>(
  shape: string,
  gaps: Gaps,
  means: (filled: Schema.Tuple<Gaps>["Type"]) => Meaning
): Sentence<Meaning> => {
  const decode = Schema.decodeUnknownResult(Schema.Tuple(gaps))
  const names = [...shape.matchAll(gapIn)].map(([name]) => name)
  const pattern = new RegExp(`^${shape.split(gapIn).map(literally).join(filled)}$`, "u")
  return {
    shape,
    read: (text) => {
      const found = pattern.exec(text)
      if (found === null) return undefined
      return decode(found.slice(1)).pipe(
        Result.map(means),
        Result.mapError(({ issue }) => {
          const { at, message } = firstIn(issue)
          return `${names[Number(at)] ?? "it"}: ${message}`
        })
      )
    }
  }
}

/** The first sentence that the text is. Nobody's sentence: undefined. */
export const readSentence = <Meaning>(
  sentences: ReadonlyArray<Sentence<Meaning>>,
  text: string
): Result.Result<Meaning, string> | undefined => {
  const readings = sentences.flatMap(({ read }) => read(text) ?? [])
  return readings.find(Result.isSuccess) ?? readings[0]
}

const gapIn = /\{[a-z ]+\}/gu

/** What fills a gap: something in quotes, or something without any. */
const filled = `("[^"]*"|[^"]+?)`

const literally = (words: string): string =>
  words.replace(/[.*+?^$|[\]\\]/gu, String.raw`\$&`).replace(/\(([a-z]+)\)/gu, "(?:$1)?")

const format = SchemaIssue.makeFormatterStandardSchemaV1()

/** What is wrong first, and where. */
export const firstIn = (issue: SchemaIssue.Issue): { readonly at: PropertyKey; readonly message: string } => {
  const [first] = format(issue).issues
  const [segment = ""] = first?.path ?? []
  return {
    at: typeof segment === "object" ? segment.key : segment,
    message: first?.message ?? "Expected something else"
  }
}
