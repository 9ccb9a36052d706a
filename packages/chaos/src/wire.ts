/**
 * The way of one worker to one account, with an ear on it. As each worker has
 * its own, it is known from outside who wrote what, and from when to when.
 */
import { createServer, type IncomingMessage, request as send, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { Clock, Effect, Option, Schema, type Scope } from "effect"

/** A request that can change what a provider holds. */
export interface Write {
  readonly worker: string
  readonly account: string
  readonly sender: string
  readonly state: "opted-out" | "opted-in"
  readonly recipients: ReadonlyArray<string>
  /** When it was passed on (ms). */
  readonly from: number
  /** When it was answered, or its writer gone (ms). Absent: not yet. */
  to?: number
}

export interface Wires {
  readonly writes: ReadonlyArray<Write>
  /** Opens a way for a worker to the account at this origin, and gives its own origin. */
  readonly lay: (worker: string, account: string, target: string) => Effect.Effect<string, never, Scope.Scope>
}

const Azure = Schema.fromJsonString(
  Schema.Struct({ from: Schema.String, recipients: Schema.Array(Schema.Struct({ to: Schema.String })) })
)
const RingCentral = Schema.fromJsonString(
  Schema.Struct({
    records: Schema.Array(Schema.Struct({ from: Schema.String, to: Schema.String, optStatus: Schema.String }))
  })
)

type Said = Pick<Write, "sender" | "state" | "recipients">

/** What a request writes, if anything. */
export const readWrite = (method: string, url: string, body: string): Said | undefined => {
  const action = /^\/sms\/optouts:(add|remove)\b/.exec(url)?.[1]
  if (action !== undefined) {
    return Option.getOrUndefined(
      Option.map(Schema.decodeOption(Azure)(body), ({ from, recipients }) => ({
        sender: from,
        state: action === "add" ? "opted-out" : "opted-in",
        recipients: recipients.map(({ to }) => to)
      }))
    )
  }
  if (method !== "PATCH" || !url.includes("/sms/consents")) return undefined
  const records = Option.getOrUndefined(Schema.decodeOption(RingCentral)(body))?.records
  const first = records?.[0]
  if (records === undefined || first === undefined) return undefined
  return {
    sender: first.from,
    state: first.optStatus === "OptOut" ? "opted-out" : "opted-in",
    recipients: records.map(({ to }) => to)
  }
}

export const makeWires = Effect.gen(function* () {
  const clock = yield* Clock.Clock
  const writes: Array<Write> = []

  const note = (worker: string, account: string, message: IncomingMessage, body: string, response: ServerResponse) => {
    const said = readWrite(message.method ?? "", message.url ?? "", body)
    if (said === undefined) return
    const write: Write = { worker, account, ...said, from: clock.currentTimeMillisUnsafe() }
    writes.push(write)
    // Answered, or given up by whoever asked.
    response.once("close", () => (write.to = clock.currentTimeMillisUnsafe()))
  }

  const lay = (worker: string, account: string, target: string) =>
    Effect.acquireRelease(
      Effect.callback<{ readonly url: string; readonly close: () => void }>((resume) => {
        const server = createServer((message, response) => {
          const chunks: Array<Buffer> = []
          message.on("data", (chunk: Buffer) => chunks.push(chunk))
          message.on("error", () => undefined)
          message.once("end", () => {
            const body = Buffer.concat(chunks)
            note(worker, account, message, body.toString(), response)
            pass(target, message, body, response)
          })
        })
        server.listen(0, "127.0.0.1", () => {
          const url = `http://127.0.0.1:${addressOf(server.address())}`
          const close = () => {
            server.close()
            server.closeAllConnections()
          }
          resume(Effect.succeed({ url, close }))
        })
      }),
      ({ close }) => Effect.sync(close)
    ).pipe(Effect.map(({ url }) => url))

  return { writes, lay } satisfies Wires
})

const addressOf = (address: AddressInfo | string | null): number =>
  typeof address === "object" && address !== null ? address.port : 0

/** The host stays the one that was asked: a signature is made over it. */
const pass = (target: string, message: IncomingMessage, body: Buffer, response: ServerResponse): void => {
  const onward = send(`${target}${message.url ?? ""}`, {
    method: message.method ?? "GET",
    headers: message.headers,
    agent: false
  })
  onward.once("response", (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(response)
    answer.once("error", () => message.socket.destroy())
  })
  onward.once("error", () => message.socket.destroy())
  response.once("close", () => onward.destroy())
  onward.end(body)
}
