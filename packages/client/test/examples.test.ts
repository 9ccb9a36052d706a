/** The examples do what they say, each as a program of its own. */
import path from "node:path"
import { describe, it } from "@effect/vitest"
import { startSandbox } from "@stopline/sandbox"
import { Effect } from "effect"
import { examplesOfClient } from "../../../test/examples.ts"

const root = path.join(import.meta.dirname, "../../..")

describe("the example", () => {
  for (const { file, run } of examplesOfClient) {
    it.live(file, () => Effect.flatMap(startSandbox(), (sandbox) => run(path.join(root, file), sandbox)))
  }
})
