/**
 * Statements that a connection parses and plans once, however often it runs
 * them: planning the larger ones costs more than running them. The texts are few
 * and fixed, as all that varies is in the parameters.
 */
import { createHash } from "node:crypto"
import pg from "pg"

const names = new Map<string, string>()

const nameOf = (text: string): string => {
  const known = names.get(text)
  if (known !== undefined) return known
  const name = createHash("sha256").update(text).digest("base64url").slice(0, 22)
  names.set(text, name)
  return name
}

/** A client that prepares whatever has parameters. */
export class PreparingClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config)
    const query = this.query.bind(this)
    const prepare = (text: unknown, values?: unknown, ...rest: ReadonlyArray<unknown>): unknown =>
      typeof text === "string" && Array.isArray(values) && values.length > 0
        ? Reflect.apply(query, undefined, [{ name: nameOf(text), text, values }, ...rest])
        : Reflect.apply(query, undefined, values === undefined ? [text] : [text, values, ...rest])
    Object.assign(this, { query: prepare })
  }
}
