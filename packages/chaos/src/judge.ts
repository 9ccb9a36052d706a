/**
 * What must be true when a fault is over, looked at from outside: at the
 * providers, on the wires, in the ledger by plain SQL, in the logs, and by the
 * command that a person would use. Nothing of the engine is asked.
 */
import { execFile } from "node:child_process"
import { readFile } from "node:fs/promises"
import { Clock, Effect } from "effect"
import { anyPerson, azure, ringcentral } from "./accounts.ts"
import type { Write } from "./wire.ts"
import { commandLine, type World } from "./world.ts"

/** Where one can see what providers hold. */
export interface Providers {
  readonly control: Pick<World["control"], "held">
}

/** Every pair that some provider blocks. */
export const heldNow = ({ control }: Providers): Effect.Effect<ReadonlySet<string>> =>
  Effect.map(Effect.all([control.held(azure), control.held(ringcentral)], { concurrency: 2 }), ([one, other]) => {
    const all = new Set(one)
    for (const pair of other) all.add(pair)
    return all
  })

/** STOPs said before a moment that some sender does not hold yet. */
export const missing = Effect.fn("missing")(function* (world: World, before: number) {
  const held = yield* heldNow(world)
  return [...world.record.mustBeHeld()].filter(([pair, at]) => at <= before && !held.has(pair)).map(([pair]) => pair)
})

/** Waits until there is nothing, at most so long. Returns what there still is. */
export const untilNone = Effect.fn("untilNone")(function* <A>(
  look: Effect.Effect<ReadonlyArray<A>>,
  patienceMs: number,
  everyMs = 200
): Effect.fn.Return<ReadonlyArray<A>> {
  const since = yield* Clock.currentTimeMillis
  for (;;) {
    const found = yield* look
    if (found.length === 0 || (yield* Clock.currentTimeMillis) - since > patienceMs) return found
    yield* Effect.sleep(everyMs)
  }
})

/** Pairs that are blocked although the person took the STOP back at this sender. */
export const unheard = Effect.fn("unheard")(function* (world: World) {
  const held = yield* heldNow(world)
  return world.record.mayText().filter((pair) => held.has(pair))
})

/** Open intents and halts, in words. */
export const unfinished = (world: World): Effect.Effect<ReadonlyArray<string>> =>
  world.database
    .query<{ what: string }>(
      `select 'an open intent' as what from view where intent is not null
     union all select 'halted: ' || message from halt where cleared_at is null`
    )
    .pipe(Effect.map((rows) => rows.map(({ what }) => what)))

/** `stopline drift`: what it says, unless nothing differs. */
export const drift = (world: World): Effect.Effect<ReadonlyArray<string>> =>
  Effect.callback<ReadonlyArray<string>>((resume) => {
    const { environment, folder } = world.outside
    const env = { PATH: process.env["PATH"], ...environment }
    const args = [...commandLine("drift", "--config", "stopline.yaml")]
    execFile(process.execPath, args, { cwd: folder, env, timeout: 60_000 }, (error, out, err) =>
      resume(
        Effect.succeed(error === null ? [] : [`stopline drift ends with ${error.code ?? error.signal}: ${out}${err}`])
      )
    )
  })

/**
 * The same fact as two rows, more messages than were texted, and more of the providers' events than texts and writes
 * can have caused.
 */
export const repeated = Effect.fn("repeated")(function* ({ database, record, writes }: World) {
  const twins = yield* database.query<{ person: string; sender: string; times: number }>(
    `select '+' || recipient as person, sender_id::text as sender, count(*)::int as times from observation
     group by account_id, sender_id, recipient, state, basis, not_before, not_after, key having count(*) > 1`
  )
  const heard = yield* database.query<{ person: string; sender: string; basis: string; times: number }>(
    `select '+' || o.recipient as person, s.address as sender, o.basis::text, count(*)::int as times
     from observation o join sender s on s.id = o.sender_id
     where o.basis = 'message' or (o.basis = 'event' and o.key like 'event:%') group by o.recipient, s.address, o.basis`
  )
  const caused = new Map<string, number>()
  for (const { recipients, sender } of writes) {
    for (const person of recipients) {
      const pair = `${sender} ${person}`
      caused.set(pair, (caused.get(pair) ?? 0) + 1)
    }
  }
  const tooMany = heard.filter(({ basis, person, sender, times }) => {
    const texts = record.of(person).filter((word) => word.sender === sender).length
    return times > texts + (basis === "event" ? (caused.get(`${sender} ${person}`) ?? 0) : 0)
  })
  return {
    what: [
      ...twins.map(({ times }) => `the same fact stands in the ledger ${times} times`),
      ...tooMany.map(({ basis, sender, times }) => `${times} facts by ${basis} at ${sender}, of fewer causes`)
    ],
    pairs: [...twins, ...tooMany].map(({ person, sender }) => `${sender} ${person}`)
  }
})

/** Two workers that wrote for one sender at the same time. Each has its own way to the providers, so it is known who. */
export const doubleWriters = (writes: ReadonlyArray<Write>): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (const [sender, all] of Map.groupBy(writes, (write) => write.sender)) {
    const inOrder = all.toSorted((one, other) => one.from - other.from)
    let open: Array<Write> = []
    for (const write of inOrder) {
      open = open.filter(({ to = Infinity }) => to > write.from)
      const other = open.find(({ worker }) => worker !== write.worker)
      if (other !== undefined) {
        found.push(`${sender}: worker ${write.worker} wrote while a write of worker ${other.worker} was on its way`)
      }
      open.push(write)
    }
  }
  return found
}

/** Opt-ins that were written for somebody who never took the STOP back at that sender. */
export const unsilenced = ({ record, writes }: World): ReadonlyArray<string> =>
  writes
    .filter(({ state }) => state === "opted-in")
    .flatMap(({ from, recipients, sender }) =>
      recipients
        .filter((person) => !record.hadSaidStart(person, sender, from))
        .map(() => `${sender}: somebody was opted in who had not said START there`)
    )

const traces = [/^\s+at .*[(/].*:\d+:\d+\)?$/m, /unhandled|uncaught/i, /level=fatal/i]

/** What must stand in no log. */
export const inLogs = Effect.fn("inLogs")(function* ({ workers }: World, since: Map<string, number>) {
  const found: Array<string> = []
  for (const { process } of workers) {
    const text = yield* Effect.promise(() => readFile(process.log, "utf8"))
    const fresh = text.slice(since.get(process.log) ?? 0)
    since.set(process.log, text.length)
    if (anyPerson.test(fresh)) found.push(`a full phone number stands in ${process.log}`)
    const trace = traces.map((pattern) => pattern.exec(fresh)?.[0]).find((match) => match !== undefined)
    if (trace !== undefined) found.push(`${process.log} has: ${trace.trim()}`)
    found.push(...process.accidents())
  }
  return found
})
