/**
 * What others write for ids can be anything: longer than an index takes, or with
 * letters that Postgres has none for. An event must not be refused over that
 * again and again until its provider gives it up, and what came with it (L1).
 */
import { createHash } from "node:crypto"
import type { Evidence, Observation } from "@stopline/consent"
import { Predicate } from "effect"

const longestKey = 300
const longestText = 2000

/** NUL is in no text of Postgres, and half a surrogate pair is no letter. */
const isPlain = (text: string): boolean => !text.includes("\0") && text.isWellFormed()

const plain = (text: string): string => text.slice(0, longestText).replaceAll("\0", "").toWellFormed()

/** The same key stays the same, and another one another, whatever they are made of. */
const keyOf = (key: string): string =>
  key.length <= longestKey && isPlain(key) ? key : `sha256:${createHash("sha256").update(key, "utf16le").digest("hex")}`

const evidenceOf = (evidence: Evidence): Evidence =>
  Object.fromEntries(
    Object.entries(evidence).map(([name, value]) => [name, Predicate.isString(value) ? plain(value) : value])
  )

const isStorable = ({ evidence, key }: Observation): boolean =>
  (key === null || keyOf(key) === key) &&
  Object.values(evidence).every((value) => !Predicate.isString(value) || plain(value) === value)

/** The observation itself, where nothing has to change: whoever gave it knows it again. */
export const storable = (observation: Observation): Observation =>
  isStorable(observation)
    ? observation
    : {
        ...observation,
        key: observation.key === null ? null : keyOf(observation.key),
        evidence: evidenceOf(observation.evidence)
      }
