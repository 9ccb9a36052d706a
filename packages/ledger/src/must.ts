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

/**
 * The opt-in that counts against what a sender `w` was told in another group: a START to this one from before it joined was
 * said to others.
 */
export const optInSinceJoining: Record<OptInPolicy, RawBuilder<unknown>> = {
  ...optInAt,
  group: sql`greatest(o.said_at, (
    select st.in_at from membership j where j.sender_id = w.sender_id and j.group_id = w.group_id and st.in_at > j.since))`
}

/** True or false, never null. */
export const mustBeOut = (policy: OptInPolicy): RawBuilder<boolean> =>
  sql`(st.out_at is not null and not coalesce(${optInAt[policy]} > st.out_at, false))`

/** `later` of @stopline/consent, in SQL: of two registers the later one; at a tie the earlier observation. */
const later = (
  at: RawBuilder<unknown>,
  because: RawBuilder<unknown>,
  otherAt: RawBuilder<unknown>,
  otherBecause: RawBuilder<unknown>
): RawBuilder<unknown> => sql`case
  when ${otherAt} is null or ${at} > ${otherAt} then ${because}
  when ${at} = ${otherAt} then least(${because}, ${otherBecause})
  else ${otherBecause} end`

/** The observation that decides. */
export const because = (policy: OptInPolicy): RawBuilder<number> => {
  const optIn: Record<OptInPolicy, RawBuilder<unknown>> = {
    strict: sql`o.said_because`,
    group: later(sql`o.said_at`, sql`o.said_because`, sql`st.in_at`, sql`st.in_because`),
    trusting: later(sql`o.said_at`, sql`o.said_because`, sql`o.told_at`, sql`o.told_because`)
  }
  return sql`case when ${mustBeOut(policy)} then st.out_because else ${optIn[policy]} end`
}

/**
 * An opt-out of another group that a sender `w` once spoke for still stands: moving a sender opts nobody back in (L3).
 *
 * @param optInAt `optInSinceJoining`
 */
export const silencedBefore = (recipient: RawBuilder<unknown>, optInAt: RawBuilder<unknown>): RawBuilder<boolean> =>
  sql`exists (
    select from standing f join membership m on m.group_id = f.group_id and m.sender_id = w.sender_id
    where f.recipient = ${recipient} and f.group_id <> w.group_id and f.out_at is not null
      and not coalesce(${optInAt} > f.out_at, false))`

/** Whether a policy is the one that is configured. A process that was started with another one is on its way out. */
export const isPolicy = (policy: OptInPolicy): RawBuilder<boolean> =>
  sql`exists (select from setting where name = 'policy' and value = ${sql.lit(JSON.stringify(policy))}::jsonb)`

/** Whether a provider refused to make a view `v` so. What it refused to lift it may well block, and the other way round. */
export const wasRefused = (must: RawBuilder<unknown>): RawBuilder<boolean> =>
  sql`(v.refused is not null and coalesce(v.refused_state = (${must})::consent_state, true))`

/** Whether the provider lifted the block of a view `v` after the opt-out that counts; null where it never did. */
export const wasLifted = sql<boolean>`v.lifted_at > st.out_at`

/** The provider of a sender `w` blocks the person for every sender of the account. */
export const heldForAll = (recipient: RawBuilder<unknown>): RawBuilder<boolean> =>
  sql`exists (
    select from view e where e.sender_id = w.every_id and e.recipient = ${recipient} and e.held = 'opted-out')`

/** Whether something may have moved what a view `v` says was held: `isInDoubt` of @stopline/consent. */
export const inDoubt = sql<boolean>`coalesce(v.held is not null and (v.intent is not null or v.doubted_at is not null or v.written_at > v.read_at), false)`

/**
 * Whether a view `v` is not known to hold what the pair must be. Unknown never passes for opted out (L5). What may be
 * blocked is not let through for that alone: whoever just opted out there would be opted in.
 */
export const differs = (policy: OptInPolicy): RawBuilder<boolean> =>
  sql`case when ${mustBeOut(policy)} then v.held is distinct from 'opted-out' or ${inDoubt} else v.held is not distinct from 'opted-out' end`
