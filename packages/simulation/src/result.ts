/** What came of a run. */
export interface Broken {
  readonly law: string
  readonly what: string
  /** The round during or after which it was seen. */
  readonly round: number
}

export interface RunResult {
  readonly seed: number
  /** Rounds that workers began, and those of them that read. */
  readonly rounds: number
  readonly reads: number
  readonly kills: number
  readonly faults: Readonly<Record<string, number>>
  /** sha256 of the event log: the same seed has the same one. */
  readonly digest: string
  readonly log: ReadonlyArray<string>
  readonly broken: ReadonlyArray<Broken>
}
