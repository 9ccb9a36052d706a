/**
 * A provider that notes when it took each write, and one that lets webhooks go
 * at a steady beat, whatever becomes of those before: waiting for an answer
 * would hide how long the next one waits.
 */
import { believed } from "./believed.ts"
import { createServer } from "node:http"
import { Effect, type Scope } from "effect"

export interface Takes {
  readonly url: string
  /** Waits until a write for this person was answered; the time of it by `performance.now()`. */
  readonly taken: (person: string) => Promise<number>
}

interface Written {
  readonly recipients: ReadonlyArray<{ readonly to: string }>
}

/** Answers what Azure answers to opt-outs, to anybody, at once. */
export const startTaking: Effect.Effect<Takes, never, Scope.Scope> = Effect.gen(function* () {
  const waiting = new Map<string, (at: number) => void>()
  const server = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const { recipients } = believed<Written>(Buffer.concat(chunks).toString())
      const value = recipients.map(({ to }) => ({ to, httpStatusCode: 200 }))
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ value }))
      for (const { to } of recipients) waiting.get(to)?.(performance.now())
    })
  })
  const port = yield* Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
      })
    }),
    () => Effect.sync(() => (server.closeAllConnections(), server.close()))
  )
  return {
    url: `http://127.0.0.1:${port}`,
    taken: (person) => new Promise((resolve) => waiting.set(person, resolve))
  }
})

/** After so long nobody waits any more (ms). */
const patience = 60_000

/**
 * Lets one request go every so often, and says how long each took until the write
 * for its person was taken (ms). Who was never taken is not among them.
 */
export const beat = async (
  people: ReadonlyArray<string>,
  perSecond: number,
  send: (person: string) => Promise<unknown>,
  takes: Takes
): Promise<ReadonlyArray<number>> => {
  const began = performance.now()
  const all = await Promise.all(
    people.map(async (person, n) => {
      // Reckoned from its place in the beat: a timer that was late does not make it look quick.
      const due = began + (n * 1000) / perSecond
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())))
      const at = takes.taken(person)
      const late = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), patience).unref())
      const taken = await Promise.race([send(person).then(() => at), late])
      return taken === undefined ? [] : [taken - due]
    })
  )
  return all.flat()
}
