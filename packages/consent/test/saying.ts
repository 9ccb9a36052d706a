/** Things said about one recipient, made up: by anybody, in any way, at times that often collide. */
import { bases, type Interval, origins, Standing } from "@stopline/consent"
import { Schema } from "effect"

export const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

export const Said = Schema.Struct({
  state: Schema.Literals(["opted-out", "opted-in"]),
  origin: Schema.Literals(origins),
  basis: Schema.Literals(bases),
  reach: Schema.Literals(["pair", "group"]),
  /** Whether it was said to the very sender whose standing is asked for. */
  samePair: Schema.Boolean,
  at: between(1, 6),
  width: between(0, 2),
  /** Of five facts one has no known beginning, and one no known end. */
  edge: between(0, 4)
})
export type Said = typeof Said.Type

export const Sayings = Schema.Array(Said).check(Schema.isMaxLength(10))

export const timeOf = ({ at, edge, width }: Said): Interval => ({
  notBefore: edge === 3 ? Number.NEGATIVE_INFINITY : at,
  notAfter: edge === 4 ? Number.POSITIVE_INFINITY : at + width
})

export const contribution = (said: Said, id: number): Standing.Standing =>
  Standing.contribution({ ...said, time: timeOf(said) }, id, said.samePair)

/** Each saying keeps its id, in whatever order they are joined. */
export const fold = (sayings: ReadonlyArray<Said>): Standing.Standing =>
  sayings.map(contribution).reduce(Standing.join, Standing.empty)
