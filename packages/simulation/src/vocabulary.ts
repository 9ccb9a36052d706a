/** What people text, and what a person who reads it takes it for. */
import type { SimVendor } from "./universe.ts"

type Meaning = "out" | "in" | "nothing"

interface Entry {
  readonly words: string
  readonly means: Meaning
  /** It means that only where this vendor's people are texted, and only for the sender that it was said to. */
  readonly only?: SimVendor
}

export const vocabulary: ReadonlyArray<Entry> = [
  { words: "STOP", means: "out" },
  { words: "stop!!", means: "out" },
  { words: "Unsubscribe", means: "out" },
  { words: "QUIT", means: "out" },
  { words: "cancel", means: "out" },
  { words: "REVOKE", means: "out" },
  { words: "opt out please", means: "out" },
  { words: "please stop texting me", means: "out" },
  { words: "START", means: "in" },
  { words: "unstop", means: "in" },
  { words: "resume", means: "in", only: "ringcentral" },
  { words: "YES", means: "nothing" },
  { words: "thanks, see you on monday", means: "nothing" },
  { words: "don't stop", means: "nothing" }
]

const entryOf = (words: string | undefined) => vocabulary.find((entry) => entry.words === words)

export const meaningOf = (words: string | undefined, vendor: SimVendor | undefined): Meaning => {
  const { means, only = vendor } = entryOf(words) ?? { means: "nothing" }
  return only === vendor ? means : "nothing"
}

/** Whether an opt-in in these words speaks of one sender alone, under any policy. */
export const isNarrow = (words: string): boolean => words === "attested" || entryOf(words)?.only !== undefined
