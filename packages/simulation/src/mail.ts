/** Webhooks on their way to whoever listens: late if so ordered; and what we said that we have. */
import type { OutgoingAnswer, OutgoingRequest } from "@stopline/sandbox"
import { Effect } from "effect"
import type { Said } from "./oracle.ts"
import { accountOf, type Receipts } from "./receipts.ts"
import type { Worker } from "./worker.ts"

interface Expected {
  readonly account: string
  readonly messageId: string
  readonly said: Said
  /** Its provider shows it to whoever asks what was texted. */
  readonly isKept: boolean
}

export class Mail {
  /** The next webhooks are late by so much. */
  late = { times: 0, ms: 0 }
  last: OutgoingRequest | undefined
  /** What people said and no webhook of it was answered yet. Two accounts may give two texts the same id. */
  #unheard: Array<Expected> = []
  readonly #workers: ReadonlyArray<Worker>
  readonly #known: (person: string) => void
  readonly #receipts: Receipts
  readonly #now: () => number

  /** @param known told of each person whose words we now said that we have */
  constructor(workers: ReadonlyArray<Worker>, known: (person: string) => void, receipts: Receipts, now: () => number) {
    this.#receipts = receipts
    this.#now = now
    this.#workers = workers
    this.#known = known
  }

  expect(expected: Expected): void {
    const { person, sender } = expected.said
    this.#unheard.push(expected)
    this.#receipts.did(`${sender} ${person}`)
  }

  /** All that was texted to an account before a moment has been read there. */
  accounted(account: string, before: number): void {
    this.#know((one) => one.account === account && one.isKept && one.said.at < before)
  }

  readonly bring = Effect.fnUntraced(
    function* (this: Mail, request: OutgoingRequest): Effect.fn.Return<OutgoingAnswer> {
      if (this.late.times > 0) {
        this.late.times -= 1
        yield* Effect.sleep(this.late.ms)
      }
      const worker = this.#workers.find((one) => one.actor.state === "running")
      if (worker === undefined) return { _tag: "Unreachable", reason: "nobody listens" } as const
      if (request.method === "POST") this.last = request
      const answer = yield* worker.receive(request)
      if (answer._tag === "Answered" && answer.status >= 200 && answer.status < 300) this.#heard(request)
      return answer
    }.bind(this)
  )

  #heard(request: OutgoingRequest): void {
    if (request.method === "POST") this.#receipts.note(request)
    const from = accountOf(request)
    // The same words may have been said twice, and only one of them be heard of.
    this.#know(({ account, messageId }) => account === from && request.body.includes(JSON.stringify(messageId)))
  }

  #know(isKnown: (one: Expected) => boolean): void {
    for (const { said } of this.#unheard.filter(isKnown)) {
      said.knownAt = this.#now()
      this.#known(said.person)
    }
    this.#unheard = this.#unheard.filter(({ said }) => said.knownAt === undefined)
  }
}
