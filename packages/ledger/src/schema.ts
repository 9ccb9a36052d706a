/**
 * The tables, as Kysely sees them.
 *
 * Instants come and go as milliseconds since the epoch, infinities included
 * (see connection.ts). Recipients are stored as bigint without their plus.
 */
import type { Basis, ConsentState, Evidence, Origin, Reach } from "@stopline/consent"
import type { ColumnType, Generated } from "kysely"

/** timestamptz: read as ms, written as an ISO text. */
type Instant = ColumnType<number, string, string>
type MaybeInstant = ColumnType<number | null, string | null | undefined, string | null>
/** A recipient without the plus: at most 15 digits, so a number holds it exactly. */
type Digits = ColumnType<number, number, number>

export interface Tables {
  account: {
    id: Generated<number>
    name: string
    vendor: string
    active: ColumnType<boolean, boolean | undefined, boolean>
  }
  sender_group: { id: Generated<number>; name: string }
  sender: {
    id: Generated<number>
    account_id: number
    address: string
    group_id: number | null
    active: ColumnType<boolean, boolean | undefined, boolean>
  }
  membership: { sender_id: number; group_id: number; since: Instant }
  observation: {
    recipient: Digits
    id: Generated<number>
    account_id: number
    sender_id: number
    group_id: number | null
    state: ConsentState
    origin: Origin
    basis: Basis
    reach: Reach
    not_before: Instant
    not_after: Instant
    key: string | null
    evidence: Evidence | null
    run_id: number | null
    recorded_at: Instant
  }
  standing: {
    group_id: number
    recipient: Digits
    out_at: MaybeInstant
    out_because: number | null
    in_at: MaybeInstant
    in_because: number | null
    settled: boolean
  }
  opt_in: {
    sender_id: number
    recipient: Digits
    said_at: MaybeInstant
    said_because: number | null
    told_at: MaybeInstant
    told_because: number | null
  }
  view: {
    sender_id: number
    recipient: Digits
    held: ConsentState | null
    read_at: Instant
    asked_at: Instant
    texted_at: MaybeInstant
    lifted_at: MaybeInstant
    doubted_at: MaybeInstant
    intent: ConsentState | null
    written: ConsentState | null
    written_begun_at: MaybeInstant
    written_at: MaybeInstant
    echo_due: boolean
    overwritten: ConsentState | null
    overwritten_begun_at: MaybeInstant
    overwritten_at: MaybeInstant
    absent_at: MaybeInstant
    echo_key: string | null
    refused: string | null
    refused_state: ConsentState | null
    refused_until: MaybeInstant
  }
  run: {
    id: Generated<number>
    kind: RunKind
    account_id: number | null
    started_by: string
    started_at: Instant
    ended_at: MaybeInstant
    outcome: string | null
    unguarded: boolean
    counts: unknown
  }
  walk: {
    key: string
    account_id: number
    sender_id: number | null
    run_id: number
    cursor: string | null
    started_at: Instant
    pages: number
    rows: number
    seen_count: number
    seen_hash: ColumnType<string, string, string>
    whole: boolean
    marking: boolean
    finished_at: MaybeInstant
  }
  walk_seen: { key: string; sender_id: number; recipient: Digits }
  halt: {
    id: Generated<number>
    account_id: number
    kind: string
    message: string
    numbers: ColumnType<Readonly<Record<string, number>>, string, string>
    digest: string | null
    raised_at: Instant
    cleared_at: MaybeInstant
    cleared_by: string | null
  }
  lane: {
    key: string
    owner: string
    session: number
    epoch: number
    lease_until: Instant
    wanted_until: ColumnType<number, string | undefined, string>
  }
  pace: {
    key: string
    tokens: number
    refreshed_at: Instant
    blocked_until: Instant
    spread_until: ColumnType<number, string | undefined, string>
  }
  setting: { name: string; value: unknown }
  api_key: {
    id: Generated<number>
    name: string
    handle: string
    digest: Buffer
    scope: string
    created_at: Instant
    created_by: string
    expires_at: MaybeInstant
    revoked_at: MaybeInstant
    revoked_by: string | null
  }
}

export type RunKind = "walk" | "backfill" | "sweep" | "round" | "apply" | "import" | "people" | "listen"
