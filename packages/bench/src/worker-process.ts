/** A worker as `stopline up` starts it, by the configuration that its one argument names. It says when it is ready. */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { up } from "@stopline/worker"
import { Effect, Schema } from "effect"

const { config, port } = Schema.decodeUnknownSync(
  Schema.fromJsonString(Schema.Struct({ config: Schema.String, port: Schema.Int }))
)(process.argv[2])

const url = `http://127.0.0.1:${port}`

const ready = Effect.gen(function* () {
  const healthy = Effect.promise(() =>
    fetch(`${url}/healthz`).then(
      (answer) => answer.ok,
      () => false
    )
  )
  while (!(yield* healthy)) yield* Effect.sleep("100 millis")
  yield* Effect.sync(() => process.send?.(JSON.stringify(url)))
})

const work = Effect.gen(function* () {
  yield* Effect.forkScoped(ready)
  return yield* up({ config, port, sandboxPort: 0, demo: false, world: {}, json: true, role: "all" })
})

process.once("disconnect", () => process.exit())
NodeRuntime.runMain(Effect.scoped(work).pipe(Effect.provide(NodeServices.layer)))
