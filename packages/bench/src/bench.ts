/**
 * What a bench is: Stopline and the least that could do the same work, measured
 * one after the other, again and again, in one run. The median of each counts.
 */
import { Context, Effect, type Scope } from "effect"
import { median } from "./numbers.ts"
import type { Bed } from "./bed.ts"

/** How much work: the full sizes, or a share of them. */
export interface Extent {
  /** 1: the sizes in the table. */
  readonly share: number
  /** How often each side is measured. */
  readonly rounds: number
}

/** One line of the table. */
export interface Row {
  readonly bench: string
  readonly what: string
  readonly ours: string
  /** The floor, the peer or the limit, in words and figures. */
  readonly peer: string
  /** Stopline's speed by the peer's: above 1 it is the faster one. */
  readonly ratio: number
  readonly goal: string
  readonly met: boolean
  readonly notes: ReadonlyArray<string>
  /** What both sides did, counted: the same on both, or they were not compared. */
  readonly work: { readonly ours: number; readonly peer: number }
}

export interface Bench {
  readonly name: string
  readonly run: (extent: Extent) => Effect.Effect<ReadonlyArray<Row>, unknown, Bed | Scope.Scope>
}

/** Told what is being measured. */
export const Watching = Context.Reference<(what: string) => Effect.Effect<void>>("@stopline/bench/Watching", {
  defaultValue: () => () => Effect.void
})

export const watching = (what: string): Effect.Effect<void> => Effect.flatMap(Watching, (tell) => tell(what))

export interface Timed<A> {
  readonly ms: number
  readonly value: A
}

export const timed = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<Timed<A>, E, R> =>
  Effect.suspend(() => {
    const began = performance.now()
    return Effect.map(self, (value) => ({ ms: performance.now() - began, value }))
  })

export interface Compared<A, B> {
  readonly ours: { readonly ms: number; readonly value: A }
  readonly peer: { readonly ms: number; readonly value: B }
}

/** Measures both in turns: the machine's moods meet them alike. The values are those of the last round. */
export const inTurns = Effect.fnUntraced(function* <A, E, R, B, E2, R2>(
  name: string,
  rounds: number,
  /** The round is counted from 0. */
  ours: (round: number) => Effect.Effect<Timed<A>, E, R>,
  peer: (round: number) => Effect.Effect<Timed<B>, E2, R2>
): Effect.fn.Return<Compared<A, B>, E | E2, R | R2> {
  const oursMs: Array<number> = []
  const peerMs: Array<number> = []
  for (let round = 0; ; round++) {
    yield* watching(`${name}: Stopline, ${round + 1} of ${rounds}`)
    const one = yield* ours(round)
    oursMs.push(one.ms)
    yield* watching(`${name}: floor, ${round + 1} of ${rounds}`)
    const other = yield* peer(round)
    peerMs.push(other.ms)
    if (round + 1 < rounds) continue
    return { ours: { ms: median(oursMs), value: one.value }, peer: { ms: median(peerMs), value: other.value } }
  }
})
