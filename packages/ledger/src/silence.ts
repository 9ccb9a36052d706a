/**
 * Noticing a connection that died without a word: a router forgot it, a machine
 * vanished. What was asked on it would wait for ever, and whoever asked with it.
 *
 * A statement may take long, so time alone proves nothing. When an answer is long
 * in coming, the server is asked by another way whether it is still at work on
 * it; if it is waiting for us, or does not answer at all, the connection is given up.
 */
import pg from "pg"

/** So long an answer may take before anybody wonders (ms). */
const patienceMs = 5_000
/** So long what is on its way between the server and us may take (ms). */
const travelMs = 1_000

export class Silence {
  readonly #config: pg.ClientConfig
  readonly #client: pg.Client
  /** Statements without an answer. */
  #open = 0
  /** Of all statements. */
  #answers = 0
  #timer: NodeJS.Timeout | undefined

  constructor(client: pg.Client, config: pg.ClientConfig) {
    this.#client = client
    this.#config = config
  }

  /** To be told of each statement, with the promise of its answer. */
  asked(answer: Promise<unknown>): void {
    this.#open += 1
    if (this.#open === 1) this.#wait(patienceMs, () => this.#wonder())
    const answered = () => {
      this.#open -= 1
      this.#answers += 1
      clearTimeout(this.#timer)
      if (this.#open > 0) this.#wait(patienceMs, () => this.#wonder())
    }
    answer.then(answered, answered)
  }

  /** To be told when it is ended: a server that cannot be reached says no farewell. */
  left(): void {
    this.#wait(patienceMs, () => this.#client.connection.stream.destroy())
  }

  #wait(ms: number, then: () => void): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(then, ms).unref()
  }

  #wonder(): void {
    const before = this.#answers
    void this.#isAtWork().then((atWork) => {
      if (this.#answers !== before || this.#open === 0) return
      if (atWork) return this.#wait(patienceMs, () => this.#wonder())
      // The answer may have left just before we asked.
      this.#wait(travelMs, () => this.#client.connection.stream.destroy(new Error("Connection terminated: no answer")))
    })
  }

  /** Whether the server works for our connection. A server that has no room for the question may well do so. */
  async #isAtWork(): Promise<boolean> {
    // The types leave it out: the number of the server's process that serves us.
    const number: unknown = Reflect.get(this.#client, "processID")
    const other = new pg.Client({
      ...this.#config,
      connectionTimeoutMillis: patienceMs,
      query_timeout: patienceMs,
      application_name: "stopline asking"
    })
    other.on("error", () => undefined)
    try {
      await other.connect()
      const { rows } = await other.query("select from pg_stat_activity where pid = $1 and state = 'active'", [number])
      return rows.length > 0
    } catch (cause) {
      return cause instanceof pg.DatabaseError
    } finally {
      await other.end().catch(() => undefined)
    }
  }
}
