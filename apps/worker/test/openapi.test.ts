/** docs/openapi.json: written from the code, valid to a validator that is not ours, and what the client's types say. */
import { readFile, writeFile } from "node:fs/promises"
import { describe, expect, it } from "@effect/vitest"
import { Validator } from "@seriousme/openapi-schema-validator"
import type * as Client from "@stopline/client"
import { Effect, type Schema } from "effect"
import { OpenApi } from "effect/http-api"
import { Api } from "../src/api/api.ts"
import type * as Shapes from "../src/api/shapes.ts"
import { endpoints } from "./api.ts"

const file = new URL("../../../docs/openapi.json", import.meta.url)

/** As it is sent: what JSON has no word for is not in it. */
const fromCode: any = JSON.parse(JSON.stringify(OpenApi.fromApi(Api)))

const fromFile = Effect.promise(async () => JSON.parse(await readFile(file, "utf8")))

/** `UPDATE=1 npx vitest run apps/worker/test/openapi.test.ts`, then format it. */
const update = process.env["UPDATE"] === "1"

const operations = (): ReadonlyArray<readonly [path: string, operation: any]> =>
  Object.entries<object>(fromCode.paths).flatMap(([path, item]) =>
    Object.values<any>(item).map((operation) => [path, operation] as const)
  )

describe("docs/openapi.json", () => {
  it.live("is what the code says", () =>
    Effect.gen(function* () {
      if (update) yield* Effect.promise(() => writeFile(file, `${JSON.stringify(fromCode, null, 2)}\n`))
      expect(yield* fromFile).toEqual(fromCode)
    })
  )

  it.live("is OpenAPI 3.1", () =>
    Effect.gen(function* () {
      const validator = new Validator()
      const { errors, valid } = yield* Effect.promise(() => validator.validate(structuredClone(fromCode)))
      expect([valid, errors]).toEqual([true, undefined])
      expect(validator.version).toBe("3.1")
      const broken = yield* Effect.promise(() => new Validator().validate({ ...fromCode, paths: { v1: 1 } }))
      expect(broken.valid).toBe(false)
    })
  )

  it("tells of every endpoint: its scope, its key, and the problems it may answer", () => {
    const described = operations()
    expect(described.map(([path]) => path).toSorted()).toEqual(
      endpoints.map(({ path }) => path.replace("/1/", "/{id}/")).toSorted()
    )
    for (const [path, operation] of described) {
      const { body, scope } = endpoints.find((one) => one.path.replace("/1/", "/{id}/") === path)!
      expect([path, operation.description]).toEqual([path, expect.stringContaining(`Scope: \`${scope}\``)])
      expect(operation.security).toEqual([{ key: [] }])
      const statuses = ["200", "401", "403", "422", "429", "503", ...(body === undefined ? [] : ["413"])]
      expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(statuses))
      for (const [status, response] of Object.entries<any>(operation.responses)) {
        const types = Object.keys(response.content)
        expect([path, status, types]).toEqual([
          path,
          status,
          [status === "200" ? "application/json" : "application/problem+json"]
        ])
      }
    }
  })

  it("has nobody's number in a path or a query", () => {
    for (const [path, operation] of operations()) {
      expect(path).not.toMatch(/recipient\}|number|phone/)
      for (const { name } of operation.parameters) expect(name).not.toMatch(/recipient|number|phone/)
    }
  })
})

type Shape<S extends Schema.Top> = S["Encoded"]
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false
type Into<A, B> = [A] extends [B] ? true : false

/** That this file compiles is the proof: what the client hands out is what comes, and what it takes is what may be sent. */
const held: {
  readonly CheckResponse: Same<Client.CheckResponse, Shape<typeof Shapes.CheckResponse>>
  readonly LookupResponse: Same<Client.LookupResponse, Shape<typeof Shapes.LookupResponse>>
  readonly Attested: Same<Client.Attested, Shape<typeof Shapes.AttestationResponse>>
  readonly Imported: Same<Client.Imported, Shape<typeof Shapes.ImportResponse>>
  readonly Plan: Same<Client.Plan, Shape<typeof Shapes.PlanResponse>>
  readonly Approved: Same<Client.Approved, Shape<typeof Shapes.ApproveResponse>>
  readonly Halt: Same<Client.Halt, Shape<typeof Shapes.Halt>>
  readonly Attestation: Same<Client.Attestation, Shape<typeof Shapes.AttestationRequest>>
  readonly Approval: Same<Client.Approval, Shape<typeof Shapes.ApproveRequest>>
  readonly OptOutRow: Same<{ rows: ReadonlyArray<Client.OptOutRow> }, Shape<typeof Shapes.ImportRequest>>
  readonly ImportPlace: Same<Client.ImportPlace, Shape<typeof Shapes.ImportQuery>>
  // Either a sender or a group is what no schema of ours says; the server does.
  readonly CheckRequest: Into<Omit<Client.CheckRequest, "group">, Shape<typeof Shapes.CheckRequest>>
} = {
  CheckResponse: true,
  LookupResponse: true,
  Attested: true,
  Imported: true,
  Plan: true,
  Approved: true,
  Halt: true,
  Attestation: true,
  Approval: true,
  OptOutRow: true,
  ImportPlace: true,
  CheckRequest: true
}

describe("the client's types", () => {
  it("are those of the interface", () => expect(Object.values(held).every(Boolean)).toBe(true))
})
