/**
 * What a pair must be, in SQL, over a standing `st` and its pair's opt-ins `o`.
 * `mustBeOptedOut` in @stopline/consent is the law.
 */
import type { OptInPolicy } from "@stopline/consent"
import { type RawBuilder, sql } from "kysely"

/** When the opt-in was said that counts for the pair; null when none was. */
export const optInAt: Record<OptInPolicy, RawBuilder<unknown>> = {
  strict: sql`o.said_at`,
  group: sql`greatest(o.said_at, st.in_at)`,
  trusting: sql`greatest(o.said_at, o.told_at)`
}

/** True or false, never null. */
export const mustBeOut = (policy: OptInPolicy): RawBuilder<boolean> =>
  sql`(st.out_at is not null and not coalesce(${optInAt[policy]} > st.out_at, false))`

/** The observation that decides. */
export const because = (policy: OptInPolicy): RawBuilder<number> => {
  const optIn: Record<OptInPolicy, RawBuilder<unknown>> = {
    strict: sql`o.said_because`,
    group: sql`case when st.in_at is null or o.said_at >= st.in_at then o.said_because else st.in_because end`,
    trusting: sql`case when o.told_at is null or o.said_at >= o.told_at then o.said_because else o.told_because end`
  }
  return sql`case when ${mustBeOut(policy)} then st.out_because else ${optIn[policy]} end`
}

/** Whether a view `v` is not known to hold what the pair must be. Unknown never passes for opted out (L5). */
export const differs = (policy: OptInPolicy): RawBuilder<boolean> =>
  sql`case when ${mustBeOut(policy)} then v.held is distinct from 'opted-out' else v.held is not distinct from 'opted-out' end`
