/** Many trials, one after another, in one world; after one that failed, in a new one. */
import { chmod, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import path from "node:path"
import type { LedgerError } from "@stopline/ledger"
import { Effect, Exit, Scope } from "effect"
import { type Kind, kinds } from "./faults.ts"
import { type Row, rowOf } from "./table.ts"
import { playTrial, type Seen, type Trial } from "./trial.ts"
import { openWorld, type World } from "./world.ts"

export interface Campaign {
  readonly trials: number
  /** Of the first trial; each next one has the next. */
  readonly seed: number
  readonly rate: number
  readonly patienceMs: number
  /** Of the faults, by name. Absent: all. */
  readonly only?: (name: string) => boolean
  /** Leaves out what takes longer than a minute. */
  readonly short?: boolean
  /** Told of each trial when it is over. */
  readonly onTrial: (trial: Trial, folder: string) => Effect.Effect<void>
}

interface Place {
  readonly scope: Scope.Closeable
  readonly world: World
  readonly seen: Seen
}

/** A folder that every user can pass, as the server of a root is another user. */
const newFolder = Effect.promise(async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "stopline-chaos-"))
  await chmod(folder, 0o755)
  return folder
})

const openPlace = Effect.fnUntraced(function* (seed: number): Effect.fn.Return<Place, LedgerError> {
  const scope = yield* Scope.make()
  const folder = yield* newFolder
  const world = yield* Effect.onError(Scope.provide(openWorld(folder, seed), scope), (cause) =>
    Scope.close(scope, Exit.failCause(cause))
  )
  return { scope, world, seen: { logs: new Map(), writes: 0 } }
})

/** Of a world that failed the logs stay, and the evidence. */
const closePlace = Effect.fnUntraced(function* ({ scope, world }: Place, failed: boolean) {
  yield* Scope.close(scope, Exit.void)
  if (!failed) yield* Effect.promise(() => rm(world.folder, { recursive: true, force: true }))
})

/** The kind of a seed. All come in turn, so that each is tried as often as the others. */
const kindOf = (seed: number, possible: ReadonlyArray<Kind>): Kind | undefined => possible[seed % possible.length]

export const playCampaign = Effect.fn("playCampaign")(function* (
  campaign: Campaign
): Effect.fn.Return<ReadonlyArray<Row>, LedgerError> {
  const { only, onTrial, patienceMs, rate, seed, short } = campaign
  const wanted = kinds.filter(
    ({ long, name }) => (only === undefined || only(name)) && !(short === true && long === true)
  )
  const done: Array<Trial> = []
  let place: Place | undefined
  const reasons = new Map<string, string>()
  const play = Effect.gen(function* () {
    for (let i = 0; i < campaign.trials; i++) {
      place ??= yield* openPlace(seed + i)
      const { seen, world } = place
      const possible = wanted.filter((kind) => {
        const reason = kind.impossible(world)
        if (reason !== undefined) reasons.set(kind.name, reason)
        return reason === undefined
      })
      const kind = kindOf(seed + i, possible)
      if (kind === undefined) return
      const trial = yield* playTrial(world, { kind, seed: seed + i, rate, patienceMs }, seen)
      done.push(trial)
      yield* onTrial(trial, world.folder)
      if (trial.wrong.length === 0) continue
      yield* closePlace(place, true)
      place = undefined
    }
  })
  yield* Effect.ensuring(
    play,
    Effect.suspend(() => (place === undefined ? Effect.void : closePlace(place, false)))
  )
  return wanted.map(({ name }): Row => {
    const leftOut = reasons.get(name)
    const row = rowOf(
      name,
      done.filter(({ kind }) => kind === name)
    )
    return leftOut === undefined ? row : { ...row, leftOut }
  })
})
