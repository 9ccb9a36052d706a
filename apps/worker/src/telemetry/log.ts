/** Log lines on standard error: for a person at a terminal, or JSON for whoever collects them. */
import { Formatter, Logger } from "effect"
import { maskNumbers } from "./numbers.ts"

interface Line {
  readonly time: string
  readonly level: string
  readonly message: unknown
  readonly annotations: unknown
  readonly cause?: string
  readonly traceId?: string
  readonly spanId?: string
}

/** As data, whatever it is: an error says what is wrong, and what goes in a circle is cut. */
const plain = (value: unknown): unknown =>
  value instanceof Error ? `${value.name}: ${value.message}` : JSON.parse(Formatter.formatJson(value) ?? "null")

/** Texts, fields and whole numbers alike: in a log line nothing else is as long as a phone number. */
const masked = (value: unknown): unknown => {
  if (typeof value === "string") return maskNumbers(value)
  if (typeof value === "number")
    return maskNumbers(String(value)) === String(value) ? value : maskNumbers(String(value))
  if (Array.isArray(value)) return value.map(masked)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [maskNumbers(name), masked(inner)]))
}

/** One JSON object a line. */
const formatJsonLine: Logger.Logger<unknown, string> = Logger.make((options) => {
  const { annotations, cause, level, message, timestamp } = Logger.formatStructured.log(options)
  const span = options.fiber.cache.span
  const line: Line = {
    time: timestamp,
    level: level.toLowerCase(),
    message: masked(Array.isArray(message) ? message.map(plain) : plain(message)),
    annotations: masked(plain(annotations)),
    ...(cause !== undefined && { cause: maskNumbers(cause) }),
    // Without a collector there are no traces, and "noop" is the name of none.
    ...(span !== undefined && /^[\da-f]{32}$/.test(span.traceId) && { traceId: span.traceId, spanId: span.spanId })
  }
  return JSON.stringify(line)
})

export type LogFormat = "json" | "text"

const formats: Record<LogFormat, Logger.Logger<unknown, string>> = {
  json: formatJsonLine,
  text: Logger.map(Logger.formatLogFmt, maskNumbers)
}

/** Logs to standard error: standard output is for what was asked. */
export const logLayer = (format: LogFormat) => Logger.layer([Logger.withConsoleError(formats[format])])
