/**
 * Clients that spend few round trips: what has parameters is parsed and planned
 * once, however often it runs, and a transaction begins together with its first
 * statement. The texts are few and fixed, as all that varies is in the parameters.
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

/** A client that prepares whatever has parameters, and sends `begin` with what comes after it. */
export class SwiftClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    // Without the pipeline the first statement would wait for the answer to `begin`.
    const options: pg.ClientConfig & { readonly pipeline: boolean } = { ...config, pipeline: true }
    super(options)
    const query = this.query.bind(this)
    const send = (...args: ReadonlyArray<unknown>): unknown => Reflect.apply(query, undefined, args)
    let beginning = false
    const swift = (text: unknown, values?: unknown, ...rest: ReadonlyArray<unknown>): unknown => {
      if (text === "begin") {
        beginning = true
        return Promise.resolve(nothing)
      }
      if (beginning) {
        beginning = false
        if (text === "commit" || text === "rollback") return Promise.resolve(nothing)
        // It fails only with its connection, and then the statement behind it says so.
        void Promise.resolve(send("begin")).catch(() => undefined)
      }
      return typeof text === "string" && Array.isArray(values) && values.length > 0
        ? send({ name: nameOf(text), text, values }, ...rest)
        : send(...(values === undefined ? [text] : [text, values, ...rest]))
    }
    Object.assign(this, { query: swift })
  }
}

const nothing = { command: "BEGIN", rowCount: null, rows: [] }
