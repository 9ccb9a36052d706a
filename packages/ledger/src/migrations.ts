/**
 * The schema, forward only. A migration that has been released is never edited.
 *
 * Old workers run on while and after it is done, so it only adds: a table, a
 * column that may be null or has a constant default, a value of an enum. What
 * nothing uses any more is taken away by a later release. And no statement asks
 * for `*` of a table: prepared before the migration, it would fail after it.
 *
 * It holds its locks until its end, so it rewrites no big table and fills none:
 * that is the work of many small transactions afterwards. An index on a big table
 * is made beforehand, with `create index concurrently if not exists`.
 */
import { type Kysely, sql } from "kysely"
import type { Migration } from "kysely/migration"

const statements =
  (text: string): Migration["up"] =>
  async (db: Kysely<unknown>) => {
    await sql.raw(text).execute(db)
  }

const ledger: Migration = {
  up: statements(`
create type consent_state as enum ('opted-out', 'opted-in');
create type origin as enum ('recipient', 'carrier', 'account', 'api', 'operator', 'import', 'unknown');
create type basis as enum ('message', 'event', 'listed', 'checked', 'send-error', 'attested', 'imported');
create type reach as enum ('pair', 'group');

create table account (
  id int generated always as identity primary key,
  name text not null unique,
  vendor text not null,
  active boolean not null default true
);
create table sender_group (
  id int generated always as identity primary key,
  name text not null unique
);
create table sender (
  id int generated always as identity primary key,
  account_id int not null references account,
  address text not null,
  group_id int references sender_group,
  active boolean not null default false,
  unique (account_id, address)
);
comment on column sender.address is 'E.164, a short code, or * for every sender of the account';
create table membership (
  sender_id int not null references sender,
  group_id int not null references sender_group,
  since timestamptz not null,
  primary key (sender_id, group_id)
);
comment on table membership is 'Every group a sender ever spoke for: an opt-out said to it counts for all of them';

create table observation (
  recipient bigint not null,
  id bigint generated always as identity,
  account_id int not null,
  sender_id int not null,
  group_id int,
  state consent_state not null,
  origin origin not null,
  basis basis not null,
  reach reach not null,
  not_before timestamptz not null,
  not_after timestamptz not null,
  key text,
  evidence jsonb,
  run_id bigint,
  recorded_at timestamptz not null,
  primary key (recipient, id)
);
comment on table observation is 'One thing one provider, person or import told us once. Append only.';
comment on column observation.group_id is 'The group the sender spoke for when it was recorded';
create unique index observation_fact on observation (recipient, account_id, key) where key is not null;

create table standing (
  group_id int not null,
  recipient bigint not null,
  out_at timestamptz,
  out_because bigint,
  in_at timestamptz,
  in_because bigint,
  settled boolean not null,
  primary key (group_id, recipient)
) with (fillfactor = 85);
comment on table standing is 'Fold of observations: the latest opt-out of a group, and the latest opt-in that reaches it';
comment on column standing.settled is 'Every sender of the group is known to hold what it must';
create index standing_unsettled on standing (group_id, recipient) where not settled;

create table opt_in (
  sender_id int not null,
  recipient bigint not null,
  said_at timestamptz,
  said_because bigint,
  told_at timestamptz,
  told_because bigint,
  primary key (sender_id, recipient)
);
comment on table opt_in is 'Fold of opt-ins of one pair: said by the recipient or a named person, or told by the provider';

create table view (
  sender_id int not null,
  recipient bigint not null,
  held consent_state,
  read_at timestamptz not null,
  asked_at timestamptz not null,
  texted_at timestamptz,
  lifted_at timestamptz,
  intent consent_state,
  written consent_state,
  written_begun_at timestamptz,
  written_at timestamptz,
  echo_due boolean not null default false,
  overwritten_begun_at timestamptz,
  overwritten_at timestamptz,
  echo_key text,
  absent_at timestamptz,
  refused text,
  refused_until timestamptz,
  primary key (sender_id, recipient)
) with (fillfactor = 85);
comment on column view.echo_key is 'The event that was the echo of our last write: sent again it is still no news';
comment on table view is 'What a provider was last known to hold for a pair; null in held is unknown';
comment on column view.asked_at is 'When the provider was last asked about it or told, answered or not: the stalest is asked first';
comment on column view.texted_at is 'When a text last went between the two, as far as anybody told: since then an opt-out may have been said';
create index view_stalest on view (sender_id, asked_at);
create index view_texted on view (sender_id, texted_at) where texted_at > asked_at;
create index view_intent on view (sender_id) where intent is not null;
create index view_absent on view (sender_id) where absent_at is not null;

create table run (
  id bigint generated always as identity primary key,
  kind text not null,
  account_id int references account,
  started_by text not null,
  started_at timestamptz not null,
  ended_at timestamptz,
  outcome text,
  unguarded boolean not null default false,
  counts jsonb
);
comment on column run.unguarded is 'What it found may be carried in bulk: the first backfill that a person started';

create index run_started on run (account_id, kind, started_at);

create table walk (
  key text primary key,
  account_id int not null references account,
  sender_id int references sender,
  run_id bigint not null,
  cursor text,
  started_at timestamptz not null,
  pages int not null,
  rows bigint not null,
  seen_count bigint not null,
  seen_hash bigint not null,
  whole boolean not null,
  marking boolean not null,
  finished_at timestamptz
);
comment on table walk is 'Where a walk stands; the cursor moves in the transaction that stores its page';
comment on column walk.seen_hash is 'Sum of a hash of every pair seen: tells without writing a row whether any is missing';
create table walk_seen (
  key text not null,
  sender_id int not null,
  recipient bigint not null,
  primary key (key, sender_id, recipient)
);
comment on table walk_seen is 'What a marking walk saw. Logged: a walk that goes on after a crash must not miss what it had seen';

create table halt (
  id int generated always as identity primary key,
  account_id int not null references account,
  kind text not null,
  message text not null,
  numbers jsonb not null,
  digest text,
  raised_at timestamptz not null,
  cleared_at timestamptz,
  cleared_by text
);
create unique index halt_open on halt (account_id, kind) where cleared_at is null;

create table lane (
  key text primary key,
  owner text not null,
  session int not null,
  epoch bigint not null,
  lease_until timestamptz not null
);
create table pace (
  key text primary key,
  tokens double precision not null,
  refreshed_at timestamptz not null,
  blocked_until timestamptz not null
);
create table setting (name text primary key, value jsonb not null);
`)
}

/** A worker that does not know the column never waits in it, and is never let go first. */
const laneWanted: Migration = {
  up: statements(`
alter table lane add column wanted_until timestamptz not null default '-infinity';
comment on column lane.wanted_until is 'Until then another process waits for it: who had it last lets that one go first'
`)
}

const keys: Migration = {
  up: statements(`
create table api_key (
  id int generated always as identity primary key,
  name text not null,
  handle text not null unique,
  digest bytea not null,
  scope text not null,
  created_at timestamptz not null,
  created_by text not null,
  expires_at timestamptz,
  revoked_at timestamptz,
  revoked_by text
);
comment on table api_key is 'Who may ask over HTTP. The key itself is nowhere: only its SHA-256';
comment on column api_key.handle is 'The part of a key by which its row is found; no secret';
create unique index api_key_name on api_key (name) where revoked_at is null;
`)
}

const spread: Migration = {
  up: statements(`
alter table pace add column spread_until timestamptz not null default 'epoch';
comment on column pace.spread_until is 'Until when the requests of a window are spread, because some of them went at once';
`)
}

/** Room kept free on a page is of no use here: every update moves an indexed column, so no row may stay on its page (measured). */
const brimful: Migration = {
  up: statements(`
alter table standing reset (fillfactor);
alter table view reset (fillfactor)
`)
}

/** Runs are never deleted, and what is asked of them is nearly always the last one: of a kind, or of those that ended well. */
const lastRuns: Migration = {
  up: statements(`
create index run_last on run (account_id, kind, id);
create index run_completed on run (account_id, kind, started_at) where outcome = 'completed'
`)
}

/** A write of before says by no column what it wrote: its echo, if it is still to come, passes for news. */
const overwritten: Migration = {
  up: statements(`
alter table view add column overwritten consent_state;
comment on column view.overwritten is 'What our write before the last one wrote, while its echo may still come'
`)
}

const doubted: Migration = {
  up: statements(`
alter table view add column doubted_at timestamptz;
comment on column view.doubted_at is 'When an opt-in was heard that may have lifted the block which is held: it was said as that was written or read'
`)
}

const refusedState: Migration = {
  up: statements(`
alter table view add column refused_state consent_state;
comment on column view.refused_state is 'What was refused to be written; null where an older release noted the refusal';
comment on column view.echo_key is 'The events that were the echoes of our last writes, one a line: sent again they are still no news'
`)
}

/** Blocks that were lifted are few, and looked for at each reading. Without it, all who are not settled were read for them (measured). */
const lifted: Migration = {
  up: statements(`
create index if not exists view_lifted on view (sender_id, recipient) where lifted_at is not null
`)
}

export const migrations: Record<string, Migration> = {
  "0001-ledger": ledger,
  "0002-lane-wanted": laneWanted,
  "0003-keys": keys,
  "0004-spread": spread,
  "0005-brimful": brimful,
  "0006-last-runs": lastRuns,
  "0007-overwritten": overwritten,
  "0008-doubted": doubted,
  "0009-refused-state": refusedState,
  "0010-lifted": lifted
}
