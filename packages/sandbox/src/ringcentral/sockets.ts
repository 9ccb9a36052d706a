/**
 * The WebSocket gateway: a token that opens one connection, one subscription in
 * it, and events as long as it is open (RingCentral guide: WebSockets).
 *
 * What a lost connection has missed is lost: a session is never recovered here,
 * as RingCentral says of one that was away for more than three minutes.
 */
import { Result, Schema } from "effect"
import { jsonReader } from "../decode.ts"
import type { Random } from "../random.ts"
import { type Line, type Listener, type WireResponse, json } from "../wire.ts"
import { type EventFilter, type Happening, readFilter } from "./filters.ts"

interface Connection {
  readonly line: Line
  subscription: { readonly id: string; readonly filters: ReadonlyArray<EventFilter> } | undefined
}

export interface SocketsOptions {
  readonly accountId: string
  readonly ownerId: string
  readonly random: Random
  readonly now: () => number
}

const Meta = { type: Schema.String, messageId: Schema.String }
const readMessage = jsonReader(
  Schema.Union([
    Schema.Tuple([Schema.Struct({ ...Meta, type: Schema.Literal("Heartbeat") })]),
    Schema.Tuple([
      Schema.Struct({
        ...Meta,
        type: Schema.Literal("ClientRequest"),
        method: Schema.Literal("POST"),
        path: Schema.Literal("/restapi/v1.0/subscription")
      }),
      Schema.Struct({
        eventFilters: Schema.Array(Schema.NonEmptyString).check(Schema.isMinLength(1)),
        deliveryMode: Schema.Struct({ transportType: Schema.Literal("WebSocket") })
      })
    ])
  ])
)

/** Seconds. */
const tokenLives = 30
const week = 604_800

const iso = (at: number): string => new Date(at).toISOString()

export class Sockets {
  readonly #options: SocketsOptions
  readonly #tokens = new Map<string, number>()
  readonly #open = new Set<Connection>()

  constructor(options: SocketsOptions) {
    this.#options = options
  }

  /** `POST /restapi/oauth/wstoken`. */
  token(host: string): WireResponse {
    const token = `sandbox-socket-${this.#options.random.hex(32)}`
    this.#tokens.set(token, this.#options.now() + tokenLives * 1000)
    return json(200, { uri: `ws://${host}/ws`, ws_access_token: token, expires_in: tokenLives })
  }

  /** Somebody connects. Which error a bad token meets is not published. */
  connect(query: string, line: Line): Listener | undefined {
    const token = new URLSearchParams(query).get("access_token") ?? ""
    const until = this.#tokens.get(token) ?? 0
    this.#tokens.delete(token)
    if (this.#options.now() >= until) return undefined
    const connection: Connection = { line, subscription: undefined }
    this.#open.add(connection)
    const details = { creationTime: iso(this.#options.now()), idleTimeout: 1_800, absoluteTimeout: 86_400 }
    this.#say(line, { type: "ConnectionDetails", wsc: { token: this.#options.random.hex(24), sequence: 1 } }, details)
    return {
      message: (text) => this.#hear(connection, text),
      closed: () => void this.#open.delete(connection)
    }
  }

  /** What to say of something that happened, once for each connection that asked for it. */
  notices(happening: Happening, body: unknown): ReadonlyArray<() => void> {
    return [...this.#open].flatMap(({ line, subscription }) => {
      const filter = subscription?.filters.find(({ matches }) => matches(happening))
      if (subscription === undefined || filter === undefined) return []
      const { now, ownerId, random } = this.#options
      const uuid = random.uuid()
      const event = { uuid, event: filter.name, timestamp: iso(now()), subscriptionId: subscription.id, ownerId, body }
      return [() => this.#say(line, { type: "ServerNotification", messageId: uuid, status: 200 }, event)]
    })
  }

  /** Every connection breaks. Returns how many there were. */
  hangUp(): number {
    const lines = [...this.#open].map(({ line }) => line)
    this.#open.clear()
    for (const line of lines) line.close()
    return lines.length
  }

  #hear(connection: Connection, text: string): void {
    const message = readMessage(text)
    if (Result.isFailure(message)) {
      return this.#say(
        connection.line,
        { type: "Error", status: 400 },
        { errorCode: "WSG-400", message: "Bad request" }
      )
    }
    const [{ messageId, type }, wish] = message.success
    if (wish === undefined) return this.#say(connection.line, { type, messageId })
    const { accountId, now, random } = this.#options
    const filters = wish.eventFilters.flatMap((name) => readFilter(name, accountId) ?? [])
    const id = random.uuid()
    // A second subscription takes the place of the first.
    connection.subscription = { id, filters }
    const disabled = wish.eventFilters.filter((name) => readFilter(name, accountId) === undefined)
    this.#say(
      connection.line,
      { type, messageId, status: 200 },
      {
        id,
        uri: `/restapi/v1.0/subscription/${id}`,
        status: "Active",
        creationTime: iso(now()),
        expirationTime: iso(now() + week * 1000),
        expiresIn: week,
        eventFilters: filters.map(({ name }) => name),
        ...(disabled.length > 0 && {
          disabledFilters: disabled.map((filter) => ({ filter, reason: "NotSupported" }))
        }),
        deliveryMode: { transportType: "WebSocket" }
      }
    )
  }

  #say(line: Line, meta: object, body?: object): void {
    line.send(JSON.stringify(body === undefined ? [meta] : [meta, body]))
  }
}
