/**
 * The last line of defence (L14): whatever leaves by a log or a trace is looked
 * through once more for what could be somebody's number. Nothing should be found;
 * messages are written without numbers.
 */
import { mask } from "@stopline/consent"

/** A plus, also as it stands in a URL, in JSON or in full width, and 7 to 15 digits of any script behind it, however they are set apart. */
const international =
  /(?:[+\uFF0B\uFE62]|%2[bB]|\\u002[bB]|&#43;)[\s(]*(?!0)\p{Nd}(?:[\s().\p{Pd}/]{0,3}\p{Nd}){6,14}/gu

/** The digits of a number of North America by themselves, as the ledger keeps them: 1, an area code, an exchange. */
const digits = /(?<![\p{Nd}.])1[2-9]\d{2}[2-9]\d{6}(?!\p{Nd})/gu

/** The same as it is written on paper: (555) 010-0001, 555-010-0001. */
const onPaper = /(?<![\p{Nd}-])(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\p{Nd}-])/gu

const plain = (found: string): string =>
  `+${found
    .replace(/^(?:%2[bB]|\\u002[bB]|&#43;)/, "")
    .normalize("NFKC")
    .replace(/\P{Nd}/gu, "")}`

const hide = (found: string): string => mask(plain(found))

/** Masks everything in a text that looks like a phone number. */
export const maskNumbers = (text: string): string =>
  text.replace(international, hide).replace(digits, hide).replace(onPaper, hide)

/** What is an identifier or a time by its name, and must stay as it is. */
const kept = new Set([
  "traceId",
  "spanId",
  "parentSpanId",
  "timeUnixNano",
  "observedTimeUnixNano",
  "startTimeUnixNano",
  "endTimeUnixNano",
  // What is measured, in OTLP.
  "asInt"
])

/** A number as an attribute of a span or a log; counts and sizes of metrics stand elsewhere. */
const attributes = new Set(["intValue", "doubleValue"])

/** For JSON.stringify: masks every text in it, names of fields too, and every whole number that could be somebody's. */
export const maskingReplacer = (key: string, value: unknown): unknown => {
  if (kept.has(key)) return value
  if (typeof value === "string") return maskNumbers(value)
  if (typeof value === "number") {
    if (!Number.isFinite(value)) return String(value)
    return attributes.has(key) && maskNumbers(String(value)) !== String(value) ? 0 : value
  }
  return value
}
