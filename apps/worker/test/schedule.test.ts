/** Events make it fast, rounds make it true (L10). */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { startWorker } from "./worker.ts"
import {
  acmeSender,
  azure,
  azureHolds,
  azureSenders,
  eventually,
  listenToAzure,
  makeWorld,
  ringcentral,
  ringcentralHolds,
  shortCode,
  tenDlc
} from "./world.ts"

const often = "schedule: { every: 100 millis }\npolicy: { confirm: 100 millis }"

describe.concurrent("a round", () => {
  it.live("finds a STOP whose event was lost, and carries it", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ rest: often })
      yield* startWorker(world)
      yield* world.sandbox.fault({ account: ringcentral, kind: "lost-events" })
      const [person = ""] = world.sandbox.people
      yield* world.sandbox.text({ from: person, to: acmeSender, text: "STOP" })
      for (const sender of azureSenders) yield* eventually(`${sender} holds it`, azureHolds(world, sender, person))
      const heard = yield* world.sql("select basis from observation where recipient = $1", [person.slice(1)])
      expect(heard).toEqual([{ basis: "listed" }])
    })
  )

  it.live("puts back what a colleague lifted at either provider, and reports it (L3)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ rest: often })
      yield* startWorker(world)
      yield* listenToAzure(world)
      const [person = "", other = ""] = world.sandbox.people
      for (const from of [person, other]) yield* world.sandbox.text({ from, to: shortCode, text: "STOP" })
      yield* eventually("Azure holds it", azureHolds(world, tenDlc, person))
      yield* eventually("RingCentral holds it", ringcentralHolds(world, other))
      const lift = { action: "opt-in" } as const
      yield* world.sandbox.edit({ ...lift, account: azure, sender: tenDlc, recipients: [person] })
      yield* world.sandbox.edit({ ...lift, account: ringcentral, sender: acmeSender, recipients: [other] })
      expect(yield* azureHolds(world, tenDlc, person)).toBe(false)
      expect(yield* ringcentralHolds(world, other)).toBe(false)
      yield* eventually("Azure holds it again", azureHolds(world, tenDlc, person))
      yield* eventually("RingCentral holds it again", ringcentralHolds(world, other))
    })
  )

  it.live("by a policy that is no longer in force says so, and what to do", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ rest: often })
      const worker = yield* startWorker(world)
      const told = () => worker.logged.filter((line) => line.includes("another policy is in force"))
      expect(told()).toEqual([])
      yield* world.sql(`update setting set value = '"trusting"' where name = 'policy'`)
      yield* eventually(
        "it is told",
        Effect.sync(() => told().length > 0)
      )
      expect(told()[0]).toContain("trusting")
    })
  )

  it.live("that fails does not end the next one", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ rest: often })
      const worker = yield* startWorker(world)
      yield* world.cut
      yield* eventually(
        "it is noticed",
        Effect.sync(() => worker.logged.some((line) => line.includes("the queues of jobs cannot be looked at")))
      )
      yield* world.mend
      yield* world.sandbox.fault({ account: ringcentral, kind: "lost-events" })
      const [person = ""] = world.sandbox.people
      yield* world.sandbox.text({ from: person, to: acmeSender, text: "STOP" })
      // A job whose end could not be noted is found to be dead after a while only.
      for (const sender of azureSenders) {
        yield* eventually(`${sender} holds it`, azureHolds(world, sender, person))
      }
    })
  )
})

describe.concurrent("a restart", () => {
  it.live("remembers a STOP that it had no time to carry", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const first = yield* startWorker(world)
      yield* listenToAzure(world)
      // RingCentral is down for as long as the first worker lives.
      yield* world.sandbox.fault({ account: ringcentral, kind: "unavailable" })
      const [person = ""] = world.sandbox.people
      yield* world.sandbox.text({ from: person, to: shortCode, text: "STOP" })
      yield* eventually("Azure holds it", azureHolds(world, tenDlc, person))
      yield* first.stop
      expect(yield* ringcentralHolds(world, person)).toBe(false)
      yield* world.sandbox.clearFaults()
      yield* startWorker(world)
      yield* eventually("RingCentral holds it", ringcentralHolds(world, person))
    })
  )
})
