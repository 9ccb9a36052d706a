/**
 * One request to RingCentral through its SDK, with errors named by what to do next.
 */
import type { AccountName } from "@stopline/consent"
import { type Operation, ProviderError } from "@stopline/provider"
import { Clock, Effect, Schema } from "effect"
import pLimit from "p-limit"
import type { ResolvedConfig } from "./config.ts"
import type { Credential } from "./credential.ts"
import { type Answer, answerOf } from "./exchange.ts"
import { type Fault, fromAnswer, fromCause, unreadable } from "./failure.ts"
import type { Drawing, Group } from "./limits.ts"
import type { Login } from "./session.ts"

export interface Call {
  readonly operation: Operation
  /** For an operation of several requests, each of which waits for a turn of its own: the limit that it draws on. */
  readonly group?: Group
  readonly method: "GET" | "POST" | "PATCH" | "DELETE"
  /** Below the server: `/restapi/v1.0/…`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: object
  /** What the answer should be, where it should not be JSON. */
  readonly accept?: "text/csv"
  /** Whether it can change something, so that a broken connection leaves doubt. */
  readonly writes: boolean
}

export interface Client {
  readonly account: AccountName
  /** `/restapi/v1.0/account/~/a2p-sms`: everything about high-volume SMS lies below it. */
  readonly a2p: string
  /** `/restapi/v2/accounts/~/sms/consents`: the newer API of opt-outs. */
  readonly consents: string
  /** Logs in, unless that was done. Fails where it cannot, and says so of this operation. */
  readonly login: (operation: string) => Effect.Effect<void, ProviderError>
  /** Fails unless the answer is 2xx. */
  readonly send: (call: Call) => Effect.Effect<Answer, ProviderError>
  /** The same, and the answer read. What does not fit the schema is `Unreadable`. */
  readonly ask: <S extends Schema.ConstraintDecoder<unknown>>(
    call: Call,
    schema: S
  ) => Effect.Effect<S["Type"], ProviderError>
  /** An answer that fits its schema and still cannot be believed. */
  readonly unreadable: (call: Call, detail: string) => ProviderError
}

export const makeClient = (config: ResolvedConfig, { limits, session }: Credential): Client => {
  const { account } = config
  const limit = pLimit(config.concurrency)

  const failWith = (operation: string, fault: Fault) => new ProviderError({ account, operation, ...fault })

  /** Waits for one of the slots first, so that the login it then takes is still good when the request leaves. */
  const inSlot = <A, E>(work: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.contextWith((context) =>
      Effect.flatten(Effect.promise((signal) => limit(() => Effect.runPromiseExitWith(context)(work, { signal }))))
    )

  /** The gate was passed before the wait for a slot and for a login, and a penalty may have begun meanwhile. */
  const attempt = Effect.fnUntraced(function* (login: Login, call: Call) {
    yield* limits.open(drawingOf(call))
    const answer = yield* request(login, call)
    yield* limits.heard(drawingOf(call), answer)
    return answer
  })

  const send = Effect.fn("RingCentral.send")(function* (call: Call) {
    const answer = yield* inSlot(
      Effect.gen(function* () {
        const first = yield* session.login
        if (call.group !== undefined) yield* limits.turn(drawingOf(call))
        const answer = yield* attempt(first, call)
        if (answer.status !== 401) return answer
        // The token ran out early or was revoked. Nothing was done, so the same once more, with the next one.
        yield* session.lost(first)
        yield* limits.turn(drawingOf(call))
        return yield* attempt(yield* session.login, call)
      })
    ).pipe(Effect.mapError((fault) => failWith(call.operation, fault)))
    if (answer.status >= 200 && answer.status < 300) return answer
    return yield* failWith(call.operation, fromAnswer(answer, call.writes, yield* Clock.currentTimeMillis))
  })

  return {
    account,
    a2p: `/restapi/v1.0/account/${config.accountId}/a2p-sms`,
    consents: `/restapi/v2/accounts/${config.accountId}/sms/consents`,
    login: (operation) => Effect.mapError(Effect.asVoid(session.login), (fault) => failWith(operation, fault)),
    send,
    ask: Effect.fn("RingCentral.ask")(function* (call, schema) {
      const answer = yield* send(call)
      return yield* Schema.decodeUnknownEffect(schema)(answer.text).pipe(
        Effect.mapError(() =>
          failWith(call.operation, unreadable(call.writes, "the answer is not what RingCentral promises"))
        )
      )
    }),
    unreadable: (call, detail) => failWith(call.operation, unreadable(call.writes, detail))
  }
}

const drawingOf = ({ group = "light", operation }: Call): Drawing => ({ group, operation })

const request = (
  { platform }: Login,
  { accept, body, method, path, query, writes }: Call
): Effect.Effect<Answer, Fault> =>
  Effect.tryPromise({
    try: (signal) => {
      const headers = { Accept: accept ?? "application/json" }
      // The SDK hands what it does not know, like the signal, to `Request`; its types leave that out.
      const options = { method, url: path, headers, signal, ...(query && { query }), ...(body && { body }) }
      return answerOf(platform.send(options))
    },
    catch: (cause) => fromCause(cause, writes)
  })
