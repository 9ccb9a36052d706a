/** Every command on the page about HTTP is run here as it stands there, against a worker, with a key that was made for it. */
import { readFile } from "node:fs/promises"
import path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import {
  acmeSender,
  azureHolds,
  azureSenders,
  eventually,
  makeWorld,
  ringcentral,
  type World
} from "../../worker/test/world.ts"
import { json, put, run, said, start } from "./cli.ts"
import { commandsIn, install, type } from "./page.ts"

const root = new URL("../../../", import.meta.url).pathname

const page = Effect.promise(() => readFile(path.join(root, "docs/http.md"), "utf8"))

const [stopped, other] = ["+15550100001", "+15550100002"]

/** What a line answers, and what it must hold. */
type Proof = (answer: any) => void

const key = /^stopline_[0-9a-f]{8}_[A-Za-z0-9_-]{43}$/m

/** In the order of the page. A curl answers JSON; a command says sentences. */
const proofs: ReadonlyArray<readonly [begin: string, Proof]> = [
  ["stopline keys add --name crm", (said) => expect(said).toMatch(key)],
  ["stopline keys list", (said) => expect(said).toMatch(/^crm {2}operate, made .* until /)],
  [
    "/v1/check",
    ({ results }) =>
      expect(results).toMatchObject([
        { recipient: stopped, mayText: false, why: "opted-out" },
        { recipient: other, mayText: true, why: "nothing-said" }
      ])
  ],
  ["/v1/check", ({ results, senders }) => expect([results[0].mayText, senders.length]).toEqual([false, 4])],
  ["/v1/recipients/lookup", ({ observations }) => expect(observations[0]).toMatchObject({ account: ringcentral })],
  ["/v1/attestations", (attested) => expect(attested).toMatchObject({ repeated: false, group: "all" })],
  ["/v1/imports", (report) => expect(report).toMatchObject({ rows: 1, news: 1, refused: [] })],
  ["/v1/imports", (report) => expect(report).toMatchObject({ rows: 1, news: 1, refused: [{ line: 3 }] })],
  ["/v1/plan", (plan) => expect(plan.digest).toMatch(/^[0-9a-f]{12}$/)],
  ["/v1/plan/approve", (approved) => expect(approved.outcome).toBe("completed")],
  ["/v1/halts", (answer) => expect(answer.halts).toMatchObject([{ kind: "listing-shrank" }])],
  ["/v1/halts/1/clear", (halt) => expect(halt.kind).toBe("listing-shrank")],
  ["stopline keys revoke crm", (said) => expect(said).toContain("Revoked crm")]
]

const raiseHalt = ({ sql }: World) =>
  sql<{ id: number }>(
    "insert into halt (account_id, kind, message, numbers, raised_at) select id, 'listing-shrank', 'look', '{}', now() from account where name = $1 returning id",
    [ringcentral]
  )

describe("docs/http.md", () => {
  it.live("shows nothing that does not work", () =>
    Effect.gen(function* () {
      const lines = commandsIn(yield* page)
      expect(lines).toHaveLength(proofs.length)
      const world = yield* makeWorld()
      yield* install(world.folder)
      yield* put(world, "optouts.csv", "recipient\n+15550100004\nnobody\n")
      const worker = yield* start(world, "up")
      yield* said(worker, "Stopline is ready")
      yield* world.sandbox.text({ from: stopped, to: acmeSender, text: "STOP" })
      // A push carries it or a round, whichever is first: only a push would say so.
      for (const sender of azureSenders) yield* eventually(`${sender} holds it`, azureHolds(world, sender, stopped))
      const changes = {
        ":4000": `:${world.port}`,
        "acme-brand": "all",
        $STOPLINE_KEY: "",
        "3f2a9c0d11ee": "",
        "/halts/1/": ""
      }
      for (const [index, line] of lines.entries()) {
        const [begin, proof] = proofs[index]!
        expect(line).toContain(begin)
        if (begin === "/v1/plan/approve") changes["3f2a9c0d11ee"] = json(yield* run(world, "plan", "--json")).digest
        if (begin === "/v1/halts") changes["/halts/1/"] = `/halts/${(yield* raiseHalt(world))[0]?.id}/`
        const ended = yield* type(world, line, changes)
        expect([line, ended.code]).toEqual([line, 0])
        proof(line.startsWith("curl") ? json(ended) : ended.out)
        if (begin.startsWith("stopline keys add")) changes["$STOPLINE_KEY"] = key.exec(ended.out)?.[0] ?? ""
      }
      expect(worker.output.out + worker.output.err).not.toContain(changes.$STOPLINE_KEY)
    })
  )
})
