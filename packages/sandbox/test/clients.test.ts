/**
 * Proof of faith: the vendors' own clients, with their own settings, drive the sandbox.
 */
import { SmsClient } from "@azure/communication-sms"
import { SDK } from "@ringcentral/sdk"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { startSandbox } from "../src/index.ts"
import { openAzure, openRingCentral, optOutsPath } from "./support.ts"

describe("the vendors' own clients", () => {
  it.live("@azure/communication-sms adds, checks and removes", () =>
    Effect.gen(function* () {
      const sandbox = yield* startSandbox()
      const client = new SmsClient(openAzure(sandbox).credentials.connectionString, { allowInsecureConnection: true })
      const [person = "", other = ""] = sandbox.people
      const statuses = (items: ReadonlyArray<{ httpStatusCode: number }>) => items.map((item) => item.httpStatusCode)
      const check = () => Effect.promise(() => client.optOuts.check("+14255550123", [person, other, "+123"]))

      assert.deepStrictEqual(
        statuses(yield* Effect.promise(() => client.optOuts.add("+14255550123", [person, "+123"]))),
        [200, 400]
      )
      const after = yield* check()
      assert.deepStrictEqual(
        after.map((item) => [item.to, item.httpStatusCode, item.isOptedOut]),
        [
          [person, 200, true],
          [other, 200, false],
          ["+123", 400, false]
        ]
      )
      yield* Effect.promise(() => client.optOuts.remove("+14255550123", [person]))
      assert.strictEqual((yield* check())[0]?.isOptedOut, false)
    })
  )

  it.live("@ringcentral/sdk logs in, walks the list and assigns in bulk", () =>
    Effect.gen(function* () {
      const sandbox = yield* startSandbox({ optedOut: 25 })
      const { credentials, senders, url } = openRingCentral(sandbox)
      const sdk = new SDK({ server: url, ...credentials })
      const platform = sdk.platform()
      yield* Effect.promise(() => platform.login({ jwt: credentials.jwt }))
      const walk = Effect.fnUntraced(function* () {
        const found: Array<string> = []
        let pageToken: string | undefined
        do {
          const query = { from: senders[0], perPage: 10, ...(pageToken !== undefined && { pageToken }) }
          const page: any = yield* Effect.promise(async () => (await platform.get(optOutsPath, query)).json())
          found.push(...page.records.map((record: { to: string }) => record.to))
          pageToken = page.paging.nextPageToken
        } while (pageToken !== undefined)
        return found
      })

      const before = yield* walk()
      assert.strictEqual(before.length, 25)
      const added = sandbox.people.find((person) => !before.includes(person))
      const body = { from: senders[0], optOuts: [added], optIns: before.slice(0, 1) }
      const answer = yield* Effect.promise(async () => (await platform.post(`${optOutsPath}/bulk-assign`, body)).json())
      assert.deepStrictEqual(answer, {
        optOuts: { successful: [added], failed: [] },
        optIns: { successful: before.slice(0, 1), failed: [] }
      })
      assert.deepStrictEqual(yield* walk(), [added, ...before.slice(1)])
      yield* Effect.promise(() => platform.logout())
      const refused = yield* Effect.promise(() => fetch(url + optOutsPath))
      assert.strictEqual(refused.status, 401)
    })
  )
})
