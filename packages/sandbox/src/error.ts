/**
 * What can go wrong with the sandbox itself: a mistake of whoever drives it.
 * What the vendors answer to a bad request is an answer, and never this.
 */
import { Schema } from "effect"

export class SandboxError extends Schema.TaggedError<SandboxError>()("SandboxError", {
  problem: Schema.String,
  cure: Schema.String
}) {
  override get message(): string {
    return `${this.problem} ${this.cure}`
  }
}
