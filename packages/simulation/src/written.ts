/** What a provider answered that it had done is known to be held, unless whoever asked it came to harm (L9). */
import { mask } from "@stopline/consent"
import type { Outcome, WireRequest } from "@stopline/sandbox"
import { Option, Schema } from "effect"

/** The answers to all requests that write, whatever the vendor. */
const Done = Schema.Struct({ successful: Schema.Array(Schema.String) })
const Body = Schema.fromJsonString(
  Schema.Struct({
    value: Schema.optionalKey(Schema.Array(Schema.Struct({ to: Schema.String, httpStatusCode: Schema.Finite }))),
    optOuts: Schema.optionalKey(Done),
    optIns: Schema.optionalKey(Done),
    failedRecords: Schema.optionalKey(Schema.Array(Schema.Struct({ to: Schema.optionalKey(Schema.String) })))
  })
)
const readBody = Schema.decodeUnknownOption(Body)

/**
 * Those of whom an answer says that it was done.
 *
 * @param asked whom the request names
 */
export const doneOf = (
  { method }: WireRequest,
  asked: ReadonlyArray<string>,
  outcome: Outcome
): ReadonlyArray<string> => {
  if (outcome._tag !== "Answer" || outcome.response.status >= 300) return []
  const body = Option.getOrUndefined(readBody(outcome.response.body))
  if (body === undefined) return []
  if (method === "PATCH") return exceptFailed(asked, body.failedRecords ?? [])
  const azure = body.value?.flatMap(({ httpStatusCode, to }) => (httpStatusCode === 200 ? [to] : [])) ?? []
  return [...azure, ...(body.optOuts?.successful ?? []), ...(body.optIns?.successful ?? [])]
}

/** RingCentral's newer API names those with whom it failed: silence is success, and a failure of nobody can be anybody's. */
const exceptFailed = (asked: ReadonlyArray<string>, failed: ReadonlyArray<{ readonly to?: string }>) =>
  failed.some(({ to }) => to === undefined) ? [] : asked.filter((one) => !failed.some(({ to }) => to === one))

interface Write {
  readonly worker: number
  readonly state: "opted-out" | "opted-in"
  readonly at: number
}

/** A view as it is stored. */
export interface Stored {
  readonly held: "opted-out" | "opted-in" | null
  readonly intent: "opted-out" | "opted-in" | null
  readonly read_at: number
}

export class Written {
  /** The last write of each pair, `account/sender person`, that nobody has accounted for yet. */
  readonly #open = new Map<string, Write>()
  /** Workers that lost their ledger for a while, and how often they were seen well since. */
  readonly #ailing = new Map<number, number>()
  readonly #skew: number
  readonly #breaks: (law: string, what: string) => void

  /** @param skew how far clocks may differ (ms) */
  constructor(skew: number, breaks: (law: string, what: string) => void) {
    this.#skew = skew
    this.#breaks = breaks
  }

  note(pair: string, write: Write): void {
    if (!this.#ailing.has(write.worker)) this.#open.set(pair, write)
  }

  /** A worker's ledger is about to fail: what then ends in the middle may take with it what else is on its way. */
  sicken(worker: number): void {
    this.forgive(worker)
    this.#ailing.set(worker, 0)
  }

  /** All stand still; these workers have their ledger again. */
  recover(workers: ReadonlyArray<number>): void {
    for (const worker of workers) {
      const seen = this.#ailing.get(worker)
      if (seen === undefined) continue
      if (seen === 0) this.#ailing.set(worker, 1)
      else this.#ailing.delete(worker)
    }
  }

  /** A worker was killed, stood still, or lost its ledger: what it did may be known to nobody. */
  forgive(worker: number): void {
    for (const [pair, write] of this.#open) if (write.worker === worker) this.#open.delete(pair)
  }

  /** The view of a pair was stored. */
  settle(name: string, person: string, view: Stored): void {
    const write = this.#open.get(`${name} ${person}`)
    if (write === undefined || view.intent !== null) return
    this.#open.delete(`${name} ${person}`)
    if (view.held === write.state || view.read_at >= write.at - this.#skew) return
    this.#breaks("L9", `${name} answered that it made ${mask(person)} ${write.state}, and nobody noted it`)
  }
}
