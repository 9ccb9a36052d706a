/** Saying things to a person, or to a program with --json. */
import { Console, DateTime, Effect } from "effect"

/** One JSON document, or sentences. */
export const say = (json: boolean, value: object, sentences: ReadonlyArray<string>): Effect.Effect<void> =>
  Console.log(json ? JSON.stringify(value, null, 2) : sentences.join("\n"))

/** Milliseconds as a moment: `2026-11-20 09:30:05Z`. */
export const moment = (ms: number | null | undefined): string =>
  ms == null || !Number.isFinite(ms)
    ? "unknown"
    : DateTime.formatIso(DateTime.makeUnsafe(ms))
        .replace("T", " ")
        .replace(/\.\d+Z$/, "Z")

export const plural = (count: number, one: string, many = `${one}s`): string => `${count} ${count === 1 ? one : many}`
