/**
 * Fresh statistics for a ledger that has grown.
 *
 * A connection plans each statement once, by what Postgres believes its tables to
 * hold at that moment. For a worker that was there when the ledger was empty,
 * reading a table whole was the best plan; kept for a hundred thousand rows, it
 * takes minutes for a page. Postgres looks again by itself within a minute or so,
 * but what has begun by then goes on as it was planned. So it is told to look as
 * soon as as many rows have come as it believed there were, which makes all
 * connections plan anew.
 */
import { type Kysely, sql } from "kysely"
import type { Tables } from "./schema.ts"

/** With fewer rows than this any plan will do. */
const few = 1_000

export class Growth {
  readonly #db: Kysely<Tables>
  /** Rows that this process has written since it last looked, or about as many. */
  #written = 0
  /** As many as Postgres believed there were. */
  #believed = 0

  constructor(db: Kysely<Tables>) {
    this.#db = db
  }

  note(rows: number): void {
    this.#written += rows
  }

  get isDue(): boolean {
    return this.#written >= Math.max(few, this.#believed)
  }

  /** To be called outside of any transaction. */
  async refresh(): Promise<void> {
    const written = this.#written
    // Whoever else comes meanwhile does not look, too.
    this.#written = 0
    this.#believed = await this.#believe()
    if (written < this.#believed) return
    // Whoever is at it already does it for all.
    await sql`analyze (skip_locked) observation, standing, opt_in, view, walk_seen`.execute(this.#db)
    this.#believed = await this.#believe()
  }

  async #believe(): Promise<number> {
    const { rows } = await sql<{ rows: number }>`
      select max(reltuples)::float8 as rows from pg_class where oid in ('observation'::regclass, 'view'::regclass)`.execute(
      this.#db
    )
    return rows[0]?.rows ?? 0
  }
}
