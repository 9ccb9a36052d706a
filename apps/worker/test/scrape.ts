/** Prometheus' text format, as far as a worker writes it. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Scrape {
  /** Unix seconds. */
  readonly at: number
  readonly samples: ReadonlyArray<Sample>
}

const line = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/
const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)/gy

const readLabels = (text: string): Record<string, string> => {
  const found = [...text.matchAll(label)]
  if (found.map(([whole]) => whole).join("") !== text) throw new Error(`these are no labels: ${text}`)
  return Object.fromEntries(found.map(([, name = "", value = ""]) => [name, value]))
}

const readValue = (text: string): number => {
  const value = text === "+Inf" ? Infinity : text === "-Inf" ? -Infinity : Number(text)
  if (Number.isNaN(value)) throw new Error(`this is no value: ${text}`)
  return value
}

const readSample = (text: string): Sample => {
  const [, name = "", labels = "", value = ""] = line.exec(text) ?? []
  if (name === "") throw new Error(`this is no sample: ${text}`)
  return { name, labels: readLabels(labels), value: readValue(value) }
}

/** Throws at the first line that is none. */
export const readSamples = (text: string): ReadonlyArray<Sample> =>
  text
    .split("\n")
    .filter((one) => one !== "" && !/^# (?:HELP|TYPE) [a-zA-Z_:][a-zA-Z0-9_:]* /.test(one))
    .map(readSample)

/** The families, with what is said of each. */
export const readHelp = (text: string): ReadonlyMap<string, string> =>
  new Map([...text.matchAll(/^# HELP (\S+) (.+)$/gm)].map(([, name = "", help = ""]) => [name, help]))
