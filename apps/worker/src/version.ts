/** The version of this worker, from its package.json, which stands one folder above the sources and above what is built of them. */
import { readFileSync } from "node:fs"
import { Schema } from "effect"

const Package = Schema.fromJsonString(Schema.Struct({ version: Schema.String }))

export const { version } = Schema.decodeUnknownSync(Package)(
  readFileSync(new URL("../package.json", import.meta.url), "utf8")
)
