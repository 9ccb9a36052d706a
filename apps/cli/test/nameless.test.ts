/** A container's user is often a number without a name: what it does is on record under that number. */
import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeWorld } from "../../worker/test/world.ts"
import { json, run } from "./cli.ts"

/** What Node says of such a user. */
const nameless = `import os from "node:os"; import { syncBuiltinESMExports } from "node:module";
os.userInfo = () => { throw Object.assign(new Error("uv_os_get_passwd returned ENOENT"), { code: "ERR_SYSTEM_ERROR" }) };
syncBuiltinESMExports()`

it.live("a user without a name can run what is put on record", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld()
    const place = {
      folder: world.folder,
      environment: {
        ...world.environment,
        NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(nameless)}`
      }
    }
    const told = yield* run(place, "sync", "--json")
    expect([told.code, told.err]).toEqual([0, expect.not.stringContaining("stopline:")])
    expect(json(told).outcome).toBe("completed")
    expect(yield* world.sql("select started_by from run where kind = 'round'")).toEqual([
      { started_by: `cli:uid ${process.getuid?.()}` }
    ])
  })
)
