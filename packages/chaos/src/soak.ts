/** `soak`: the same world with nothing broken, for a while. Does anything grow? */
import { writeFile } from "node:fs/promises"
import path from "node:path"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { temporaryFolder } from "@stopline/ledger"
import { Clock, Console, Effect, Fiber } from "effect"
import { Command, Flag } from "effect/cli"
import { unhurried } from "./config.ts"
import { crowd } from "./crowd.ts"
import { Dice } from "./dice.ts"
import { missing, untilNone } from "./judge.ts"
import { drawing, png } from "./picture.ts"
import { fields, type Sample, takeSample } from "./sample.ts"
import { judgeSoak } from "./verdict.ts"
import { openWorld } from "./world.ts"

const everyMs = 5_000

const csvOf = (samples: ReadonlyArray<Sample>): string =>
  [fields.join(","), ...samples.map((sample) => fields.map((field) => sample[field]).join(","))].join("\n") + "\n"

const soak = Effect.fnUntraced(function* (minutes: number, rate: number, seed: number) {
  const world = yield* openWorld(yield* temporaryFolder("soak"), seed, unhurried)
  const startedAt = yield* Clock.currentTimeMillis
  const load = yield* Effect.forkChild(Effect.scoped(crowd(world, rate, new Dice(seed))))
  const samples: Array<Sample> = []
  while ((yield* Clock.currentTimeMillis) - startedAt < minutes * 60_000) {
    yield* Effect.sleep(everyMs)
    const sample = yield* takeSample(world, startedAt)
    samples.push(sample)
    const { answerMs, connections, minute, one, stops, two, waitingSeconds } = sample
    process.stderr.write(
      `${minute.toFixed(1)} min: ${stops} STOPs, ${one} and ${two} MB, ${connections} connections, ${answerMs} ms, the longest waits ${waitingSeconds.toFixed(1)} s\n`
    )
  }
  yield* Fiber.interrupt(load)
  const lost = yield* untilNone(missing(world, Infinity), 120_000)
  return { samples, lost: lost.length }
}, Effect.scoped)

const command = Command.make(
  "soak",
  {
    minutes: Flag.Finite("minutes").pipe(Flag.withDescription("How long"), Flag.withDefault(20)),
    rate: Flag.Int("rate").pipe(Flag.withDescription("Sayings a second"), Flag.withDefault(20)),
    seed: Flag.Int("seed").pipe(Flag.withDescription("What is said"), Flag.withDefault(1)),
    out: Flag.String("out").pipe(Flag.withDescription("Where soak.csv and soak.png go"), Flag.withDefault("."))
  },
  Effect.fn(function* ({ minutes, out, rate, seed }) {
    const { lost, samples } = yield* soak(minutes, rate, seed)
    const findings = [{ what: `STOPs that are not held at the end: ${lost}`, well: lost === 0 }, ...judgeSoak(samples)]
    yield* Effect.promise(() => writeFile(path.join(out, "soak.csv"), csvOf(samples)))
    yield* Effect.promise(() => writeFile(path.join(out, "soak.png"), png(drawing(samples))))
    yield* Console.log(findings.map(({ well, what }) => `${well ? "well " : "WRONG"}  ${what}`).join("\n"))
    if (findings.some(({ well }) => !well)) yield* Effect.sync(() => (process.exitCode = 1))
  })
).pipe(Command.withDescription("Two real workers under load for a while, with nothing broken: does anything grow?"))

command.pipe(Command.run({ version: "0.1.0" }), Effect.provide(NodeServices.layer), NodeRuntime.runMain)
