/** The interface for applications as a test uses it: a worker, its keys, and requests that say what came. */
import { Effect, Redacted } from "effect"
import { makeKey } from "../src/index.ts"
import type { World } from "./world.ts"

export type ScopeName = "read" | "attest" | "operate"

/** A key in the database, as `stopline keys add` makes one. */
export const keyFor = Effect.fnUntraced(function* (
  { sql }: World,
  name: string,
  scope: ScopeName,
  expiresAt: string | null = null
) {
  const { digest, handle, key } = yield* makeKey
  yield* sql(
    "insert into api_key (name, handle, digest, scope, created_at, created_by, expires_at) values ($1, $2, $3, $4, now(), 'test', $5)",
    [name, handle, digest, scope, expiresAt]
  )
  return Redacted.value(key)
})

export interface Answered {
  readonly status: number
  readonly headers: Headers
  readonly body: any
}

export const ask = (
  url: string,
  key: string | undefined,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {}
): Effect.Effect<Answered> =>
  Effect.promise(async () => {
    const response = await fetch(url + path, {
      method: body === undefined ? "GET" : "POST",
      headers: {
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers
      },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) })
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: text === "" ? undefined : JSON.parse(text) }
  })

/** Every endpoint: what it needs, and a request that is as it should be. */
export const endpoints = [
  { path: "/v1/check", scope: "read", body: { sender: "+18005550100", recipients: ["+15550100001"] } },
  { path: "/v1/recipients/lookup", scope: "read", body: { recipient: "+15550100001" } },
  { path: "/v1/plan", scope: "read", body: undefined },
  { path: "/v1/halts", scope: "read", body: undefined },
  {
    path: "/v1/attestations",
    scope: "attest",
    body: {
      recipient: "+15550100001",
      sender: "+18005550100",
      state: "opted-out",
      at: "2026-01-05",
      by: "Jane Doe",
      how: "phone call"
    }
  },
  { path: "/v1/imports", scope: "attest", body: { rows: [{ recipient: "+15550100002", opted_out_at: "2026-01-05" }] } },
  { path: "/v1/plan/approve", scope: "operate", body: { digest: "0123456789ab", by: "Ada Lovelace" } },
  { path: "/v1/halts/1/clear", scope: "operate", body: { by: "Ada Lovelace" } }
] as const
