/** A newer version comes while an older one is at work. */
import { assert, layer } from "@effect/vitest"
import type { Recipient } from "@stopline/consent"
import {
  ask,
  blockedFor,
  Connection,
  coverage,
  digits,
  flows,
  history,
  ingest,
  lately,
  listened,
  migrate,
  openHalts,
  register,
  type Registry,
  reserve,
  settleAll,
  stalest,
  standingKeys,
  unheld
} from "@stopline/ledger"
import { Deferred, Effect, Fiber } from "effect"
import { sql } from "kysely"
import type { Migration } from "kysely/migration"
import { ledgerForTest } from "../../../test/database.ts"
import { anotherProcess, heldOpen, somebodyWaits, until } from "../../../test/process.ts"
import {
  accountOf,
  accounts,
  brand,
  checkPairs,
  differing,
  east,
  eastOne,
  eastTwo,
  observation,
  person,
  reading,
  senderOf,
  setUp,
  standings
} from "../../../test/world.ts"
import { migrateTo } from "../src/migrate.ts"
import { migrations } from "../src/migrations.ts"
import { walkThrough } from "./walking.ts"
import { write } from "./writing.ts"

const run = (statement: string) =>
  Effect.flatMap(Connection, ({ query }) => query("test", (db) => sql.raw(statement).execute(db)))

const statement = (text: string): Migration => ({
  up: (db) =>
    sql
      .raw(text)
      .execute(db)
      .then(() => undefined)
})

/** What a release may do to tables that an older one is using. */
const expanding = `
  alter table standing add column looked_at timestamptz;
  alter table observation add column weight int not null default 1;
  alter table view add column looked_at timestamptz;
  alter table opt_in add column weight int not null default 1;
  alter table run add column host text;
  alter table walk add column note text;
  alter table lane add column note text;
  alter table sender add column note text;
  alter table pace add column note text;
  alter table halt add column note text;
  alter table api_key add column note text;
  alter table account add column note text;
  alter type basis add value 'guessed';
  create table later (id int primary key);
  create index standing_looked on standing (looked_at) where looked_at is not null`

const newer = (text: string) => ({ ...migrations, "9000-newer": statement(text) })

const done = Effect.gen(function* () {
  const { query } = yield* Connection
  const { rows } = yield* query("test", (db) =>
    sql<{ name: string }>`select name from kysely_migration order by name`.execute(db)
  )
  return rows.map(({ name }) => name)
})

const exists = Effect.fnUntraced(function* (table: string) {
  const { query } = yield* Connection
  const { rows } = yield* query("test", (db) =>
    sql<{ name: string | null }>`select to_regclass(${table})::text as name`.execute(db)
  )
  return rows[0]!.name !== null
})

/** Tables as the release before left them, with nobody in them. */
const before = Effect.andThen(run("drop schema public cascade; create schema public"), migrate)

const ourNames = Object.keys(migrations).toSorted()
const both = [...ourNames, "9000-newer"]

/** What the first release wrote for somebody who opted out, with no column but its own. Never to be changed. */
const asTheFirstReleaseDid = (recipient: number) => `
  insert into account (name, vendor) values ('east', 'alpha') on conflict do nothing;
  insert into sender_group (name) values ('brand') on conflict do nothing;
  insert into sender (account_id, address, group_id, active)
    select a.id, '${eastOne}', g.id, true from account a, sender_group g on conflict do nothing;
  insert into observation (recipient, account_id, sender_id, group_id, state, origin, basis, reach, not_before, not_after, key, evidence, recorded_at)
    select ${recipient}, account_id, id, group_id, 'opted-out', 'recipient', 'message', 'group', now(), now(), 'a key', null, now() from sender where address = '${eastOne}';
  insert into standing (group_id, recipient, out_at, out_because, settled)
    select o.group_id, o.recipient, o.not_after, o.id, false from observation o where o.recipient = ${recipient};
  insert into view (sender_id, recipient, read_at, asked_at)
    select id, ${recipient}, now(), now() from sender where address = '${eastOne}';
  insert into opt_in (sender_id, recipient) select id, ${recipient} from sender where address = '${eastOne}';
  insert into run (kind, started_by, started_at) values ('round', 'test', now());
  insert into lane (key, owner, session, epoch, lease_until) values ('lane', 'test', 1, 1, now())
    on conflict (key) do update set epoch = lane.epoch + 1;
  insert into pace (key, tokens, refreshed_at, blocked_until) values ('pace', 1, now(), now())
    on conflict (key) do update set tokens = 2`

/** What is asked of the ledger, for a person, for those who watch, and at the gate. */
const looksAround = Effect.fnUntraced(function* (registry: Registry, recipient: Recipient, now: number) {
  const account = accountOf(registry, east)
  const sender = senderOf(registry, eastOne)
  const bucket = { key: "a limit", requests: 100, windowMs: 60_000 }
  yield* reserve(bucket, now)
  yield* blockedFor(bucket.key, now)
  yield* flows([bucket], now)
  yield* ask([{ id: sender.id, everyId: account.every.id }], [digits(recipient)], "strict")
  yield* unheld([{ account, sender, optOut: true, optIn: true }], { policy: "strict", now, confirmMs: 0 })
  yield* lately([account.id])
  yield* listened([account.id])
  yield* coverage(sender, now)
  yield* stalest(sender, now, 10)
  yield* openHalts()
  yield* standingKeys()
  yield* settleAll("strict")
})

/** Everything an old worker does in a day, for one more person each time. Returns what then stands. */
const aDaysWork = Effect.fnUntraced(function* (registry: Registry, day: number) {
  const at = day * 100_000
  const [said, listed, checked] = [person(day * 10 + 1), person(day * 10 + 2), person(day * 10 + 3)]
  yield* ingest(accountOf(registry, east), [observation({ recipient: said, key: `fact ${day}` })], at, 0)
  yield* write(registry, eastTwo, said, { begun: at + 10, ended: at + 20 })
  yield* walkThrough(registry, [[reading(listed)]], { at: at + 1_000 })
  yield* checkPairs(registry, [reading(checked)], { beganAt: at + 2_000, endedAt: at + 2_100 })
  yield* register(accounts, [brand], "strict", at + 3_000)
  yield* looksAround(registry, said, at + 4_000)
  return {
    said: yield* standings(said),
    listed: yield* standings(listed),
    checked: yield* standings(checked),
    observations: (yield* history(said, "strict")).observations.length,
    differing: (yield* differing(registry, eastOne)).length
  }
})

layer(ledgerForTest, { excludeTestServices: true })("an upgrade", (it) => {
  it.effect("brings the database of every release up to date, with what is in it, and that release goes on", () =>
    Effect.gen(function* () {
      for (let releases = 1; releases < ourNames.length; releases++) {
        const names = ourNames.slice(0, releases)
        yield* run("drop schema public cascade; create schema public")
        yield* migrateTo(Object.fromEntries(names.map((name) => [name, migrations[name]!])))
        yield* run(asTheFirstReleaseDid(1))
        yield* migrate
        assert.deepStrictEqual(yield* done, ourNames)
        yield* run(asTheFirstReleaseDid(2))
        // Nobody else may have prepared a statement for the tables that were there before.
        const newest = yield* anotherProcess()
        const differ = yield* newest.run(Effect.flatMap(setUp(), (registry) => differing(registry, eastOne)))
        assert.deepStrictEqual(
          differ.map(({ recipient }) => recipient),
          [1, 2]
        )
      }
    }).pipe(Effect.scoped)
  )

  it.effect("is done once, by however many that start at the same time on an older database", () =>
    Effect.gen(function* () {
      yield* before
      // Twice, it would fail: the column would be there already.
      const upgrade = migrateTo(newer(expanding))
      const others = yield* Effect.forEach([1, 2], () => anotherProcess())
      yield* Effect.all([upgrade, upgrade, ...others.map(({ run }) => run(upgrade))], { concurrency: "unbounded" })
      assert.deepStrictEqual(yield* done, both)
    }).pipe(Effect.scoped)
  )

  it.effect("that fails leaves nothing half done, and can be tried again", () =>
    Effect.gen(function* () {
      yield* before
      const error = yield* Effect.flip(migrateTo(newer("create table later (id int); select 1 / 0")))
      assert.strictEqual(error.kind, "broken")
      assert.include(error.message, "division by zero")
      assert.isFalse(yield* exists("later"))
      assert.deepStrictEqual(yield* done, ourNames)
      yield* migrateTo(newer("create table later (id int)"))
      assert.isTrue(yield* exists("later"))
    })
  )

  it.effect("that finds a table in use lets everybody else pass, and is done when it is free", () =>
    Effect.gen(function* () {
      yield* before
      const registry = yield* setUp()
      const slow = yield* heldOpen(run("select from standing"))
      const upgrade = yield* Effect.forkChild(migrateTo(newer("alter table standing add column looked_at timestamptz")))
      yield* until(somebodyWaits)
      // It would wait behind the migration, and that behind the slow one, for as long as that takes.
      yield* ingest(accountOf(registry, east), [observation({ recipient: person(1) })], 10_000, 0)
      assert.deepStrictEqual(yield* done, ourNames)
      yield* slow.commit
      yield* Fiber.join(upgrade)
      assert.deepStrictEqual(yield* done, both)
    })
  )

  it.effect("goes on under the hands of an old worker: what it does before and after is the same", () =>
    Effect.gen(function* () {
      yield* before
      const registry = yield* setUp()
      // One connection: what it has prepared before is what it uses afterwards.
      const old = yield* anotherProcess({ connections: 1 })
      const yesterday = yield* old.run(aDaysWork(registry, 1))
      const [upgrading, stop] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const busy = yield* Effect.forkChild(
        Effect.gen(function* () {
          for (let day = 2; !(yield* Deferred.isDone(stop)); day++) {
            const work = yield* old.run(aDaysWork(registry, day))
            yield* Deferred.succeed(upgrading, undefined)
            assert.deepStrictEqual(work, { ...yesterday, differing: work.differing })
          }
        })
      )
      yield* Deferred.await(upgrading)
      yield* migrateTo(newer(expanding))
      yield* Deferred.succeed(stop, undefined)
      yield* Fiber.join(busy)
      const today = yield* old.run(aDaysWork(registry, 100_000))
      assert.deepStrictEqual(today, { ...yesterday, differing: today.differing })
      assert.deepStrictEqual(yesterday.said, {
        [eastOne]: "opted-out held unknown",
        [eastTwo]: "opted-out held opted-out",
        "+16505550101": "opted-out held unknown"
      })
    }).pipe(Effect.scoped)
  )
})
