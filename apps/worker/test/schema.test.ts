/** The JSON Schema by which an editor helps with stopline.yaml: written from the code, and checked against it. */
import { readFile, writeFile } from "node:fs/promises"
import { describe, expect, it } from "@effect/vitest"
import { Effect, JsonSchema, Option, Schema, SchemaRepresentation } from "effect"
import { parse } from "yaml"
import { ConfigFile } from "../src/index.ts"
import { good } from "./samples.ts"

const file = new URL("../../../stopline.schema.json", import.meta.url)

/** Draft 7 is what editors know best. */
const fromCode = (): object => {
  const latest = Schema.toJsonSchemaDocument(ConfigFile, { onExcessProperty: "error" })
  const { definitions, schema } = JsonSchema.toDocumentDraft07(latest)
  const described = { $schema: JsonSchema.META_SCHEMA_URI_DRAFT_07, ...schema }
  return Object.keys(definitions).length === 0 ? described : { ...described, definitions }
}

const fromFile = Effect.promise(async () => JSON.parse(await readFile(file, "utf8")) as JsonSchema.JsonSchema)

/** `UPDATE=1 npx vitest run apps/worker/test/schema.test.ts`, then format it. */
const update = process.env["UPDATE"] === "1"

describe("stopline.schema.json", () => {
  it.live("is what the code says", () =>
    Effect.gen(function* () {
      if (update) yield* Effect.promise(() => writeFile(file, `${JSON.stringify(fromCode(), null, 2)}\n`))
      expect(yield* fromFile).toEqual(fromCode())
    })
  )

  it.live("takes what is right, and not what is wrong", () =>
    Effect.gen(function* () {
      const document = JsonSchema.fromSchemaDraft07(yield* fromFile)
      const schema = SchemaRepresentation.fromJsonSchemaDocument(document, { patterns: "apply" })
      const accepts = Schema.decodeUnknownOption(Schema.revealCodec(schema as Schema.Codec<unknown>), {
        onExcessProperty: "error"
      })
      const takes = (from: string, to: string) => {
        expect(good).toContain(from)
        return Option.isSome(accepts(parse(good.replace(from, () => to))))
      }
      expect(takes("jwt", "jwt")).toBe(true)
      const wrong = [
        ["    settle: 5 seconds", "    settel: 5 seconds"],
        ["groups:", "colour: red\ngroups:"],
        ["    jwt: { env: ACME_JWT }\n", ""],
        ["{ env: ACME_JWT }", "hunter2"],
        ['"20500"]', '"555-CALL-ME"]'],
        ['"20500"]', "20500]"],
        ['"acme/+16505550100"]', '"+16505550100"]'],
        ["count: 10", "count: ten"],
        ["{ count: 10 }", "{ share: 20 }"],
        ["optIn: strict", "optIn: lenient"],
        ["vendor: azure", "vendor: carrier-pigeon"],
        ['["+16505550100"]', "[]"],
        ["port: 8080", "port: 80800"]
      ] as const
      expect(wrong.filter(([from, to]) => takes(from, to))).toEqual([])
    })
  )
})
