/** How far long work has come, for whoever shows it. Nobody listens by default. */
import { Context, Effect } from "effect"

export interface Step {
  readonly kind: "walk" | "check" | "apply" | "import"
  /** The account, or the file that is imported. */
  readonly account: string
  /** The sender, where the work is one sender's. */
  readonly sender?: string
  readonly done: number
  /** Absent where nobody knows: a list does not say how long it is. */
  readonly total?: number
  readonly unit: "rows" | "recipients" | "changes"
}

export const Progress = Context.Reference<(step: Step) => Effect.Effect<void>>("@stopline/engine/Progress", {
  defaultValue: () => () => Effect.void
})

export const report = (step: Step): Effect.Effect<void> => Effect.flatMap(Progress, (tell) => tell(step))
