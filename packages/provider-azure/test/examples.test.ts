/** The examples do what they say, each as a program of its own. */
import path from "node:path"
import { describe, it } from "@effect/vitest"
import { startSandbox } from "@stopline/sandbox"
import { Effect } from "effect"
import { examplesOfAzure } from "../../../test/examples.ts"

const root = path.join(import.meta.dirname, "../../..")

describe("the example", () => {
  for (const { file, run, world } of examplesOfAzure) {
    it.live(file, () => Effect.flatMap(startSandbox(world), (sandbox) => run(path.join(root, file), sandbox)), 30_000)
  }
})
