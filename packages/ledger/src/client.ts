/**
 * Clients that spend few round trips: what has parameters is parsed and planned
 * once, however often it runs, a transaction begins together with its first
 * statement, and statements that do not wait for each other travel together. The texts are few and fixed, as all that varies is in the parameters.
 */
import { createHash } from "node:crypto"
import { Predicate } from "effect"
import type pg from "pg"
import { WatchfulClient } from "./watchful.ts"

const names = new Map<string, string>()

const nameOf = (text: string): string => {
  const known = names.get(text)
  if (known !== undefined) return known
  const name = createHash("sha256").update(text).digest("base64url").slice(0, 22)
  names.set(text, name)
  return name
}

const plain = /^[\w:.+-]+$/

const isScalar = Predicate.or(
  Predicate.or(Predicate.isString, Predicate.isNumber),
  Predicate.or(Predicate.isBoolean, Predicate.isNullish)
)

const elementOf = (value: string | number | boolean | null | undefined): string => {
  if (value === null || value === undefined) return "NULL"
  const text = String(value)
  return plain.test(text) && text.toUpperCase() !== "NULL" ? text : `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`
}

/**
 * An array as Postgres reads it. The driver quotes and searches every element,
 * which cost more than anything else that is done here for a page of a list.
 * What is no scalar, such as a date, is left to it.
 */
const literal = (value: unknown): unknown =>
  Array.isArray(value) && value.every(isScalar) ? `{${value.map(elementOf).join(",")}}` : value

/** A client that prepares whatever has parameters, sends `begin` with what comes after it, and ends when its connection died without a word. */
export class SwiftClient extends WatchfulClient {
  constructor(config?: pg.ClientConfig) {
    // Without the pipeline the first statement would wait for the answer to `begin`.
    const options: pg.ClientConfig & { readonly pipeline: boolean } = { ...config, pipeline: true }
    super(options)
    const query = this.query.bind(this)
    const send = (...args: ReadonlyArray<unknown>): unknown => {
      // What is asked in one tick leaves in one packet.
      const { stream } = this.connection
      stream.cork()
      process.nextTick(() => stream.uncork())
      return Reflect.apply(query, undefined, args)
    }
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
        ? send({ name: nameOf(text), text, values: values.map(literal) }, ...rest)
        : send(text, values, ...rest)
    }
    Object.assign(this, { query: swift })
  }
}

const nothing = { command: "BEGIN", rowCount: null, rows: [] }
