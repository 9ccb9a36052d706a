/** What happened in a run, line by line, and what of it broke a law or was meant to go wrong. */
import { createHash } from "node:crypto"
import type { Broken } from "./result.ts"

export class Journal {
  readonly lines: Array<string> = []
  readonly broken: Array<Broken> = []
  /** How often each kind of fault was made. */
  readonly faults: Record<string, number> = {}
  readonly #hash = createHash("sha256")

  /** @param at ms since the run began */
  note(at: number, line: string): void {
    const text = `${at} ${line}`
    this.lines.push(text)
    this.#hash.update(`${text}\n`)
  }

  count(kind: string): void {
    this.faults[kind] = (this.faults[kind] ?? 0) + 1
  }

  /** The same for the same course of events. */
  get digest(): string {
    return this.#hash.copy().digest("hex").slice(0, 16)
  }
}
