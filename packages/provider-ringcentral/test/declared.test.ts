/** RingCentral's page says what its adapter declares, for each generation of the API. */
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { assertPage } from "../../../test/declared.ts"
import { makeRingCentralAdapter } from "../src/index.ts"
import { configFor } from "./server.ts"

describe("the page", () => {
  it.live("says what the adapter declares", () =>
    Effect.gen(function* () {
      const adapterOf = (api: "v1" | "v2") =>
        makeRingCentralAdapter(configFor("https://platform.ringcentral.com", { api, websocket: true }))
      yield* assertPage("ringcentral.md", {
        "v2: `…/sms/consents`": yield* adapterOf("v2"),
        "v1: `…/a2p-sms/opt-outs`, deprecated": yield* adapterOf("v1")
      })
    })
  )
})
