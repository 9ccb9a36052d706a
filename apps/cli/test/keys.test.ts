/** `stopline keys`: printed once, stored as a hash, revoked by name. */
import { createHash } from "node:crypto"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeWorld } from "../../worker/test/world.ts"
import { json, run } from "./cli.ts"

describe("stopline keys", () => {
  it.live("makes a key, prints it once, keeps its hash, and revokes it by its name", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const made = json(yield* run(world, "keys", "add", "--name", "crm", "--expires", "90 days", "--json"))
      expect(made).toMatchObject({ name: "crm", scope: "read" })
      const [row] = yield* world.sql<{ whole: string; digest: Buffer; days: number }>(
        "select api_key::text as whole, digest, extract(day from expires_at - created_at)::int as days from api_key"
      )
      expect(row?.digest.equals(createHash("sha256").update(made.key).digest())).toBe(true)
      expect(row?.whole).not.toContain(made.key.slice(18))
      expect(row?.days).toBe(90)

      const again = yield* run(world, "keys", "add", "--name", "crm")
      expect([again.code, again.out]).toEqual([1, ""])
      expect(again.err).toContain("there is a key called crm")

      const listed = yield* run(world, "keys", "list", "--json")
      expect(json(listed).keys).toMatchObject([{ name: "crm", scope: "read", expiresAt: made.expiresAt }])
      expect(listed.out).not.toContain("digest")

      const wrong = [
        ["--name", "Crm!"],
        ["--name", "web", "--expires", "soon"],
        ["--name", "web", "--expires=-1 days"],
        ["--name", "web", "--scope", "admin"]
      ]
      for (const flags of wrong) expect([flags, (yield* run(world, "keys", "add", ...flags)).code]).toEqual([flags, 1])

      expect((yield* run(world, "keys", "revoke", "crm")).code).toBe(0)
      const gone = yield* run(world, "keys", "revoke", "crm")
      expect([gone.code, gone.err]).toEqual([1, expect.stringContaining("there is no such key")])
      expect((yield* run(world, "keys", "list")).out).toBe("There are no keys.\n")
      expect(yield* world.sql("select count(*)::int as keys from api_key")).toEqual([{ keys: 1 }])
    })
  )
})
