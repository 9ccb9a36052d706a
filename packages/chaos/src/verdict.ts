/** Whether anything grows that must not. Only the second half counts: in the first one caches fill. */
import type { Sample } from "./sample.ts"

export interface Finding {
  readonly what: string
  readonly well: boolean
}

type Point = readonly [x: number, y: number]

/** Of the straight line that fits best. */
export const slope = (points: ReadonlyArray<Point>): number => {
  const mean = (pick: (point: Point) => number) => points.reduce((sum, point) => sum + pick(point), 0) / points.length
  const [x, y] = [mean(([x]) => x), mean(([, y]) => y)]
  const over = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0)
  const under = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0)
  return under === 0 ? 0 : over / under
}

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((one, other) => one - other)[Math.floor((values.length - 1) / 2)] ?? 0

/** A share of what there is, each minute: memory that grows faster is full within hours. */
const mostGrowth = 0.01

const grows = (
  name: string,
  unit: string,
  samples: ReadonlyArray<Sample>,
  pick: (sample: Sample) => number
): Finding => {
  const rise = slope(samples.map((sample) => [sample.minute, pick(sample)]))
  const level = median(samples.map(pick))
  return {
    what: `${name}: ${level.toFixed(1)} ${unit}, and ${rise >= 0 ? "+" : ""}${rise.toFixed(2)} ${unit} a minute`,
    well: rise <= Math.max(level * mostGrowth, 0.05)
  }
}

/** Compared by halves of the second half: a single slow moment is no trend. */
const staysAs = (
  name: string,
  unit: string,
  slack: number,
  samples: ReadonlyArray<Sample>,
  pick: (sample: Sample) => number
): Finding => {
  const middle = Math.floor(samples.length / 2)
  const [before, after] = [median(samples.slice(0, middle).map(pick)), median(samples.slice(middle).map(pick))]
  return {
    what: `${name}: ${before.toFixed(1)} ${unit}, later ${after.toFixed(1)} ${unit}, at worst ${Math.max(...samples.map(pick)).toFixed(1)} ${unit}`,
    well: after <= before * 1.5 + slack
  }
}

export const judgeSoak = (samples: ReadonlyArray<Sample>): ReadonlyArray<Finding> => {
  const half = samples.slice(Math.floor(samples.length / 2))
  return [
    grows("memory of worker one", "MB", half, ({ one }) => one),
    grows("memory of worker two", "MB", half, ({ two }) => two),
    staysAs("connections", "connections", 2, half, ({ connections }) => connections),
    staysAs("answer to /healthz", "ms", 50, half, ({ answerMs }) => answerMs),
    staysAs("the STOP that waits longest", "s", 5, half, ({ waitingSeconds }) => waitingSeconds)
  ]
}
