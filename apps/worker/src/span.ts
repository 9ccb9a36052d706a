/** Spans of time in the configuration. */
import { Duration, Schema } from "effect"

/** Every so often: what is 0 would be done without a pause, and what never ends not once. */
export const Interval = Schema.DurationFromString.check(
  Schema.makeFilter(
    (span) =>
      (Duration.isFinite(span) && Duration.isPositive(span)) || "Expected a time longer than 0, such as 1 minute"
  )
)

/** How long something is waited for: not at all, if need be, but never for ever. */
export const Patience = Schema.DurationFromString.check(
  Schema.makeFilter(
    (span) =>
      (Duration.isFinite(span) && !Duration.isNegative(span)) || "Expected a time such as 10 minutes, or 0 seconds"
  )
)
