/**
 * Who opted out of whom, with what was believed before.
 *
 * Rows are kept by growing id and are never changed: a new state of a pair is a
 * new row with a new id, and the old row is marked with the moment it was
 * replaced. So a page is found by its id in O(log n), a list newest-first is the
 * array read backwards, and a read as of an earlier moment needs no copy.
 *
 * That a pair moves to a new id when it changes is our reading of RingCentral's
 * page tokens, and the harder world for whoever walks the list meanwhile.
 */
export type Status = "OptOut" | "OptIn"
export type Source = "Recipient" | "Account" | "Upstream" | "Carrier"

export interface Row {
  readonly id: number
  readonly from: string
  readonly to: string
  readonly status: Status
  readonly source: Source
  /** When it came about (ms). */
  readonly at: number
  /** When another row of the pair took its place (ms); infinite while it stands. */
  until: number
  /** The row it replaced. */
  readonly before: Row | undefined
}

/** Every moment there is: a read as of now sees every write. */
export const latest = Number.POSITIVE_INFINITY

/** Whether the row stood at this moment. */
export const stoodAt = (row: Row, asOf: number): boolean =>
  asOf === latest ? row.until === latest : row.at <= asOf && asOf < row.until

export class OptOutList {
  readonly #firstId: number
  readonly #rows: Array<Row> = []
  readonly #bySender = new Map<string, Array<Row>>()
  readonly #pairs = new Map<string, Map<string, Row>>()

  constructor(firstId: number) {
    this.#firstId = firstId
  }

  /** The pair's row as of a moment. */
  get(from: string, to: string, asOf = latest): Row | undefined {
    let row = this.#pairs.get(from)?.get(to)
    while (row !== undefined && !stoodAt(row, asOf)) row = row.before
    return row
  }

  isOptedOut(from: string, to: string, asOf = latest): boolean {
    return this.get(from, to, asOf)?.status === "OptOut"
  }

  /** Returns whether anything changed: the same state again keeps its row. */
  set(from: string, to: string, status: Status, source: Source, at: number): boolean {
    let pairs = this.#pairs.get(from)
    let own = this.#bySender.get(from)
    if (pairs === undefined || own === undefined) {
      this.#pairs.set(from, (pairs = new Map()))
      this.#bySender.set(from, (own = []))
    }
    const before = pairs.get(to)
    if (before?.status === status) return false
    if (before !== undefined) before.until = at
    const row: Row = { id: this.#firstId + this.#rows.length, from, to, status, source, at, until: latest, before }
    pairs.set(to, row)
    own.push(row)
    this.#rows.push(row)
    return true
  }

  /** Rows by growing id, of one sender or of all, replaced ones included. */
  rows(from?: string): ReadonlyArray<Row> {
    return from === undefined ? this.#rows : (this.#bySender.get(from) ?? [])
  }

  /** Rows of one recipient by growing id. */
  rowsTo(to: string, from?: string): ReadonlyArray<Row> {
    const found: Array<Row> = []
    for (const sender of from === undefined ? this.#pairs.keys() : [from]) {
      for (let row = this.#pairs.get(sender)?.get(to); row !== undefined; row = row.before) found.push(row)
    }
    return found.toSorted((a, b) => a.id - b.id)
  }

  /** The recipients that stand so with one sender, oldest first. */
  recipients(from: string, status: Status): ReadonlyArray<string> {
    return this.rows(from)
      .filter((row) => row.until === latest && row.status === status)
      .map((row) => row.to)
  }
}
