/** What is received needs a connection to the database; what is written to providers must leave it one (L1). */
import { assert, describe, it } from "@effect/vitest"
import { Fleet } from "@stopline/engine"
import { Connection } from "@stopline/ledger"
import { Context, Effect, Layer, Queue, Redacted } from "effect"
import pg from "pg"
import { askerOne, listerOne, makeWorld, people, quietly } from "../../../packages/engine/test/world.ts"
import { freshDatabase } from "../../../test/database.ts"
import { Carrier } from "../src/carry.ts"
import { Listener } from "../src/listen.ts"
import { registryLayer } from "../src/truth/metrics.ts"

/** Two accounts over a pool of two connections, and a client that can be in the way. */
const setUp = Effect.gen(function* () {
  const url = yield* freshDatabase
  const connection = yield* Layer.build(Connection.layer(url, { connections: 2 }))
  const other = yield* Effect.acquireRelease(
    Effect.promise(async () => {
      const client = new pg.Client({ connectionString: Redacted.value(url) })
      await client.connect()
      return client
    }),
    (client) => Effect.promise(() => client.end())
  )
  const world = yield* Effect.provideContext(makeWorld({ settings: { patienceMs: 60_000, graceMs: 0 } }), connection)
  const layer = Carrier.layer.pipe(
    Layer.provide(Listener.layer),
    Layer.provide(Layer.mergeAll(Fleet.layer(world.fleet), Layer.succeedContext(connection), registryLayer))
  )
  const { carried, receive } = yield* Effect.map(Layer.build(layer), (built) => Context.get(built, Carrier))
  /** Forty, four at once, every other one to the other account: what the first ones cause is in the way of the last ones. */
  const stops = Effect.forEach(
    people(40),
    (person, n) => {
      const [fake, station, sender] =
        n % 2 === 0 ? [world.lister, world.listing, listerOne] : ([world.asker, world.asking, askerOne] as const)
      const { events } = fake.adapter
      return events._tag === "Can"
        ? receive(station, events.port, fake.text(sender, person, "STOP", 1000 + n))
        : Effect.die("it takes no webhooks")
    },
    { concurrency: 4 }
  )
  const allHeld = () =>
    people(40).every((person) => world.lister.holds(listerOne, person) && world.asker.holds(askerOne, person))
  return { world, other, carried, stops, allHeld }
})

describe("with two connections, forty STOPs", () => {
  it.live("are stored and answered while every write waits in the database, and carried when it goes on", () =>
    Effect.gen(function* () {
      const { allHeld, carried, other, stops } = yield* setUp
      yield* Effect.promise(() => other.query("begin; lock table lane in exclusive mode"))
      const first = yield* stops
      assert.deepStrictEqual([...new Set(first.map(({ status }) => status))], [200])
      const stored = yield* Effect.promise(() => other.query("select from observation"))
      assert.strictEqual(stored.rowCount, 40)
      yield* Effect.promise(() => other.query("commit"))
      while (!allHeld()) yield* Queue.take(carried)
    }).pipe(Effect.scoped, quietly)
  )

  it.live("are stored and answered while the providers do not answer", () =>
    Effect.gen(function* () {
      const { other, stops, world } = yield* setUp
      world.lister.onRequest = () => Effect.never
      world.asker.onRequest = () => Effect.never
      const replies = yield* stops
      assert.deepStrictEqual([...new Set(replies.map(({ status }) => status))], [200])
      const stored = yield* Effect.promise(() => other.query("select from observation"))
      assert.strictEqual(stored.rowCount, 40)
    }).pipe(Effect.scoped, quietly)
  )
})
