/**
 * Who does what, and when: jobs are put on queues in the ledger's database, and
 * whichever worker is free takes the next one. That two never do the same is not
 * relied upon; the lanes of the ledger see to it that nothing comes of it.
 */
import type { LedgerError, LedgerUrl } from "@stopline/ledger"
import { Cause, Clock, Context, Effect, FiberSet, Layer, Metric, Option, Predicate, Schema, type Scope } from "effect"
import type { ConnectionOptions, JobWithMetadata, PgBoss, WorkOptions } from "pg-boss"
import { attempt, type BossOptions, openBoss } from "./boss.ts"
import { deadQueue, keyOf, type Payload, payloads, type QueueName, queues } from "./queues.ts"

/** How a job came out: undefined, after how long it is to be done again (ms), or why nothing could be done. */
export type Outcome = number | string | undefined

export interface Working {
  /** So many of them at a time in this process. */
  readonly atOnce: number
  /** How often it is looked for what is due (s). */
  readonly lookSeconds: number
}

/** A job that was tried as often as was allowed. */
export interface DeadLetter {
  readonly queue: string
  readonly account: string | undefined
  readonly diedAt: number
  readonly why: string
}

export interface LastJob {
  readonly state: JobWithMetadata["state"]
  /** Why nothing could be done, though it ended well. */
  readonly nothing: string | undefined
}

export class Jobs extends Context.Service<
  Jobs,
  {
    /** Puts a job on its queue. One with its key that is there already, whenever it is due, stays the only one. */
    readonly put: <Name extends QueueName>(queue: Name, payload: Payload<Name>) => Effect.Effect<void, LedgerError>
    /** What waits there for longer than that is brought forward. */
    readonly hasten: <Name extends QueueName>(
      queue: Name,
      payload: Payload<Name>,
      withinMs: number
    ) => Effect.Effect<void, LedgerError>
    /** Does the jobs of a queue until the scope ends. What is under way then is given back, and done by another worker. */
    readonly work: <Name extends QueueName, E, R>(
      queue: Name,
      working: Working,
      handle: (payload: Payload<Name>) => Effect.Effect<Outcome, E, R>
    ) => Effect.Effect<void, LedgerError, Scope.Scope | R>
    /** How far the last job of its key has come; absent: there is none. */
    readonly lastOf: <Name extends QueueName>(
      queue: Name,
      payload: Payload<Name>
    ) => Effect.Effect<LastJob | undefined, LedgerError>
    readonly deadLetters: Effect.Effect<ReadonlyArray<DeadLetter>, LedgerError>
  }
>()("@stopline/worker/Jobs") {
  static readonly layer = (options: BossOptions): Layer.Layer<Jobs, LedgerError, LedgerUrl> =>
    Layer.effect(Jobs, make(options))
}

const make = Effect.fnUntraced(function* (
  options: BossOptions
): Effect.fn.Return<Jobs["Service"], LedgerError, Scope.Scope | LedgerUrl> {
  const boss = yield* openBoss(options)

  const send = <Name extends QueueName>(
    queue: Name,
    payload: Payload<Name>,
    afterMs: number,
    inside: ConnectionOptions = {}
  ) => {
    const group = queue === "reconcile" && { group: { id: queue } }
    return boss.send(queue, payload, {
      singletonKey: keyOf(payload),
      startAfter: afterMs / 1000,
      ...group,
      ...inside
    })
  }

  const put: Jobs["Service"]["put"] = (queue, payload) => Effect.asVoid(attempt(() => send(queue, payload, 0)))

  /** In one transaction: whoever looks in between would find neither, and put one that is due at once. */
  const follow = <Name extends QueueName>(queue: Name, id: string, payload: Payload<Name>, afterMs: number) =>
    attempt(async () => {
      const transaction = await boss.getDb().beginTransaction?.()
      if (transaction === undefined) throw new Error("no transaction")
      const inside = { db: transaction.db }
      try {
        await boss.complete(queue, id, null, inside)
        await send(queue, payload, afterMs, inside)
        await transaction.commit()
      } catch (cause) {
        await transaction.rollback()
        throw cause
      }
    })

  const hasten: Jobs["Service"]["hasten"] = Effect.fnUntraced(function* (queue, payload, withinMs) {
    const [waiting] = yield* attempt(() => boss.findJobs(queue, { key: keyOf(payload), queued: true }))
    if (waiting === undefined) return
    const dueInMs = waiting.startAfter.getTime() - (yield* Clock.currentTimeMillis)
    if (withinMs > 0 && dueInMs <= withinMs) return
    yield* attempt(() => boss.update({ name: queue, options: { id: waiting.id, startAfter: withinMs / 1000 } }))
  })

  const work = Effect.fn("Jobs.work")(function* <Name extends QueueName, E, R>(
    queue: Name,
    working: Working,
    handle: (payload: Payload<Name>) => Effect.Effect<Outcome, E, R>
  ): Effect.fn.Return<void, LedgerError, Scope.Scope | R> {
    const run = yield* FiberSet.makeRuntimePromise<R, object | undefined>()
    const read = Schema.decodeUnknownEffect<(typeof payloads)[Name]>(payloads[queue])
    const polling: WorkOptions = {
      localConcurrency: working.atOnce,
      pollingIntervalSeconds: working.lookSeconds,
      notifyPollingIntervalSeconds: working.lookSeconds,
      ...(queue === "reconcile" && { groupConcurrency: 1 })
    }
    // A trace of its own: what began the worker is no part of what it does for years.
    const once = Effect.fn(queue, { root: true })(
      function* (id: string, data: unknown) {
        const payload = yield* read(data)
        const outcome = yield* handle(payload)
        if (Predicate.isString(outcome)) return { nothing: outcome }
        if (outcome !== undefined) yield* follow(queue, id, payload, outcome)
        return undefined
      },
      Effect.tapCause((cause) =>
        // Given back by a process that ends, it is no failure.
        Cause.hasInterruptsOnly(cause) ? Effect.void : Effect.logError("a job failed", { queue, error: whyOf(cause) })
      )
    )
    yield* attempt(() =>
      boss.work(queue, polling, async ([job]) => {
        // What it resolves to is kept with the job.
        return job === undefined ? undefined : run(once(job.id, job.data), { signal: job.signal })
      })
    )
    // No new one is begun while those under way are being stopped.
    yield* Effect.addFinalizer(() => Effect.promise(() => boss.offWork(queue, { wait: false })))
  })
  const lastOf: Jobs["Service"]["lastOf"] = (queue, payload) =>
    Effect.map(
      attempt(() => boss.findJobs(queue, { key: keyOf(payload) })),
      (jobs) => {
        const [last] = jobs.toSorted((a, b) => b.createdOn.getTime() - a.createdOn.getTime())
        return last && { state: last.state, nothing: Option.getOrUndefined(readNothing(last.output))?.nothing }
      }
    )

  const deadLetters = Effect.map(
    attempt(() => boss.findJobs(deadQueue)),
    (jobs) => jobs.map(toDeadLetter)
  )

  if (options.works) yield* buryTheDead(boss)
  return { put, hasten, work, lastOf, deadLetters }
})

const givenUp = Metric.counter("stopline_jobs_given_up_total", {
  description: "Jobs that failed as often as was allowed, by their queue. This worker's own.",
  incremental: true
})

/** Each is told of and counted once, by whichever worker comes first, and is known for a while. */
const buryTheDead = Effect.fnUntraced(function* (boss: PgBoss) {
  const run = yield* FiberSet.makeRuntimePromise<never, void>()
  for (const queue of Object.keys(queues)) yield* Metric.update(Metric.withAttributes(givenUp, { queue }), 0)
  yield* attempt(() =>
    boss.work(deadQueue, { includeMetadata: true, pollingIntervalSeconds: 10 }, async ([job]) => {
      if (job === undefined) return
      const { account, diedAt: _, ...letter } = toDeadLetter(job)
      const counted = Metric.update(Metric.withAttributes(givenUp, { queue: letter.queue }), 1)
      const told = Effect.logError("a job was given up", { ...letter, ...(account !== undefined && { account }) })
      await run(Effect.andThen(counted, told))
    })
  )
})

const readAccount = Schema.decodeUnknownOption(Schema.Struct({ account: Schema.String }))
const readNothing = Schema.decodeUnknownOption(Schema.Struct({ nothing: Schema.String }))
const readWhy = Schema.decodeUnknownOption(Schema.Struct({ message: Schema.String }))

const toDeadLetter = ({ createdOn, data, sourceName, sourceOutput }: JobWithMetadata<unknown>): DeadLetter => ({
  queue: sourceName ?? "unknown",
  account: Option.getOrUndefined(readAccount(data))?.account,
  diedAt: createdOn.getTime(),
  why: Option.getOrUndefined(readWhy(sourceOutput))?.message ?? "unknown"
})

const whyOf = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return Predicate.isError(error) ? error.message : "unknown failure"
}
