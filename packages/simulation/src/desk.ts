/** The desk of an operator, who works at the command line of the first worker. */
import { point } from "@stopline/consent"
import { attest, type Fleet } from "@stopline/engine"
import { clearHalts, type Connection } from "@stopline/ledger"
import { type Effect, Exit } from "effect"
import type { Crew } from "./crew.ts"
import { importing, planning, sweeping } from "./operator.ts"
import type { Oracle, Said } from "./oracle.ts"
import type { Doing } from "./action.ts"
import type { Conductor } from "./time.ts"
import type { Watch } from "./watch.ts"
import { settings } from "./worker.ts"

/** A sweep asks about a quarter of all people at least; half of those may be the same each time. */
const mostSweeps = 10

/** What an operator tells us that people said. */
interface Word extends Pick<Said, "means" | "words"> {
  readonly people: ReadonlyArray<string>
  /** `account/sender` */
  readonly sender: string
  readonly at: number
}

export interface Office {
  readonly crew: Crew
  readonly conductor: Conductor
  readonly oracle: Oracle
  readonly watch: Watch
  /** Told of each person about whom a command ended well. */
  readonly known: (person: string) => void
}

export class Desk {
  readonly #office: Office

  constructor(office: Office) {
    this.#office = office
  }

  /** Whether a command ended well. */
  async run<A, E>(command: Effect.Effect<A, E, Fleet | Connection>): Promise<boolean> {
    const { conductor, crew } = this.#office
    return Exit.isSuccess(await conductor.driven(crew.worker(0).command(command)))
  }

  /** However few a sweep asks about, in the end it has asked about everybody (L10). Says how many pairs are left all the same. */
  async askAll(budget: number, unasked: () => Promise<number>): Promise<number> {
    for (let i = 0; i < mostSweeps && (await unasked()) > 0; i++) {
      await this.run(sweeping(budget))
      await this.#office.conductor.pass(1_000)
    }
    return unasked()
  }

  /** A named person says it for somebody. */
  attest({ account, ago = 0, person, reach = "pair", sender, to }: Doing<"attest">): Promise<void> {
    const means = to === "opted-out" ? "out" : "in"
    const at = this.#office.conductor.now - ago
    const word = { means, words: reach === "pair" ? "attested" : "attested of all", at } as const
    const attestation = { account, sender, recipient: person, state: to, reach, by: "Jane", how: "phone" }
    return this.#tell(attest(ago === 0 ? attestation : { ...attestation, time: point(at) }), {
      ...word,
      people: [person],
      sender: `${account}/${sender}`
    })
  }

  /** A file of opt-outs is imported. */
  import({ account, ago, people, sender }: Doing<"import">): Promise<void> {
    const { now } = this.#office.conductor
    const word = { means: "out", words: "imported", at: now - (ago ?? 0) } as const
    return this.#tell(importing(account, sender, people, now, ago), { ...word, people, sender: `${account}/${sender}` })
  }

  /** A command that says something for people: it is known when the command ended well. */
  async #tell<A, E>(
    command: Effect.Effect<A, E, Fleet | Connection>,
    { at, means, people, sender, words }: Word
  ): Promise<void> {
    const { conductor, known, oracle } = this.#office
    const said = people.map((person) => oracle.says(person, sender, words, means, at))
    if (!(await this.run(command))) return
    for (const one of said) {
      one.knownAt = conductor.now
      known(one.person)
    }
  }

  /** The plan is looked at and approved. */
  async approve(): Promise<void> {
    const { crew } = this.#office
    const { digest } = await crew.worker(0).inspect(planning(settings.confirmMs))
    await crew.begin(0, false, digest)
    await crew.finish()
  }

  /** The halts are cleared. */
  async resume(): Promise<void> {
    const { conductor, crew, watch } = this.#office
    await crew.worker(0).inspect(clearHalts({}, "operator", conductor.now))
    watch.committed("clear halts")
  }
}
