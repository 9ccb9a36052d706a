/** Which cores seeds are dealt to. */
import { describe, expect, it } from "@effect/vitest"
import { coresIn, ownCores } from "../src/cores.ts"

describe("the cores of this process", () => {
  it("are read from what Linux writes", () => {
    expect(coresIn("0-1")).toEqual([0, 1])
    expect(coresIn("3")).toEqual([3])
    expect(coresIn("0-2,5,7-8")).toEqual([0, 1, 2, 5, 7, 8])
    expect(coresIn("")).toEqual([])
    expect(coresIn("none")).toEqual([])
  })

  it("are some on Linux, and unknown elsewhere", () => {
    expect(ownCores().length > 0).toBe(process.platform === "linux")
  })
})
