/** Medians, and figures as people read them. */

/** The value that so large a share of all lies at or below (0.5: the median). */
export const percentile = (values: ReadonlyArray<number>, share: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN
}

export const median = (values: ReadonlyArray<number>): number => percentile(values, 0.5)

/** 1,234,567 */
export const whole = (value: number): string => Math.round(value).toLocaleString("en")

/** 0.83, 12.4, 310: as many digits as mean something. */
export const factor = (value: number): string => (value >= 100 ? whole(value) : value.toFixed(value >= 10 ? 1 : 2))

/** 850 µs, 12 ms, 3.4 s */
export const lasting = (ms: number): string =>
  ms < 1 ? `${Math.round(ms * 1000)} µs` : ms < 1000 ? `${factor(ms)} ms` : `${factor(ms / 1000)} s`

/** 84,000 rows/s */
export const rate = (count: number, ms: number, unit: string): string => `${whole((count / ms) * 1000)} ${unit}/s`

export const megabytes = (bytes: number): string => `${whole(bytes / 1024 / 1024)} MB`
