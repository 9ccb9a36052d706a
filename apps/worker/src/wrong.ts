/** What a schema finds wrong, in words for somebody who writes YAML. */
import { type Schema, SchemaIssue } from "effect"

export interface Wrong {
  readonly path: ReadonlyArray<PropertyKey>
  readonly message: string
}

export const wrongIn = (error: Schema.SchemaError): ReadonlyArray<Wrong> =>
  format(error.issue).issues.map((issue) => ({
    path: (issue.path ?? []).map((segment) => (typeof segment === "object" ? segment.key : segment)),
    message: issue.message
  }))

/** The value itself is never repeated: it may be a secret that was written in the wrong place. */
const format = SchemaIssue.makeFormatterStandardSchemaV1({
  leafHook: (issue) => {
    if (issue._tag === "MissingKey") return "is missing; add it"
    if (issue._tag === "UnexpectedKey") return `is no setting; ${settingsIn(issue)}`
    const message = SchemaIssue.defaultLeafHook(issue)
    return inYaml[message] ?? message
  }
})

const settingsIn = ({ ast }: SchemaIssue.UnexpectedKey): string =>
  ast._tag === "Objects"
    ? `there are: ${ast.propertySignatures.map(({ name }) => String(name)).join(", ")}`
    : "take it out"

/** YAML reads 20500 and +18005550100 as numbers. */
const inYaml: Readonly<Record<string, string>> = {
  "Expected string": 'Expected text; numbers stand in quotes: "20500"',
  "Expected number": "Expected a number",
  "Expected array": "Expected a list",
  "Expected object": "Expected settings, each a name and a value",
  "Expected a valid Duration string": "Expected a time such as 30 seconds or 10 minutes"
}
