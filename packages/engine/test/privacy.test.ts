import { assert, layer } from "@effect/vitest"
import { backfill, hearRequest, push } from "@stopline/engine"
import { openHalts } from "@stopline/ledger"
import { Effect, Logger, Stream } from "effect"
import { ledgerForTest } from "../../../test/database.ts"
import { listerOne, makeWorld, pass, people, person, testSettings, timed } from "./world.ts"

const number = /1555\d{7}/

layer(ledgerForTest, { excludeTestServices: true })("what is logged", (it) => {
  it.effect("and what is told of errors and halts names nobody in full (L14)", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const listen = Logger.layer([
        Logger.make((options) => {
          lines.push(JSON.stringify([options.message, String(options.cause)]))
        })
      ])
      const guard = { ...testSettings.guard, optOuts: { count: 1, share: 0 }, absences: { count: 1, share: 0 } }
      const world = yield* makeWorld({ settings: { guard } })
      const told = yield* Effect.gen(function* () {
        world.lister.block(listerOne, ...people(12))
        world.lister.spoil("unreadable row")
        const first = yield* world.round()
        world.lister.spoil(undefined)
        yield* pass("1 minute")
        yield* world.round()
        world.lister.lift(listerOne, ...people(6))
        yield* pass("1 minute")
        const second = yield* world.round()
        world.asker.failAlways(["optOut", "check"], { kind: "unavailable" })
        world.lister.failAlways(["list", "optOut"], { kind: "denied" })
        const pushed = yield* world.run(push(yield* world.says("STOP", listerOne, person(30))))
        const third = yield* world.round()
        const failed = yield* Effect.flip(
          world.run(backfill(world.asking, { startedBy: "test", recipients: () => Stream.fromIterable(people(3, 50)) }))
        )
        const { events } = world.lister.adapter
        if (events._tag === "Can") {
          const garbled = { ...world.lister.text(listerOne, person(31), "STOP", 0), body: '{"from": "+15550000031"}' }
          yield* Effect.exit(world.run(hearRequest(world.listing, events.port, garbled)))
        }
        const errors = [first, second, third].flatMap((round) => [
          ...round.halts,
          ...round.reads.flatMap((read) => read.error ?? []),
          ...round.applied.flatMap((one) => one.errors)
        ])
        return [...errors, ...pushed.flatMap((report) => report.errors), failed, ...(yield* openHalts())]
      }).pipe(Effect.provide(listen))
      assert.isAbove(lines.length, 5)
      assert.isAbove(told.length, 5)
      for (const line of lines) assert.notMatch(line, number)
      for (const one of told)
        assert.notMatch(`${one instanceof Error ? one.message : ""} ${JSON.stringify(one)}`, number)
    }).pipe(timed)
  )
})
