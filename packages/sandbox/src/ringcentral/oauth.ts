/**
 * Logging in with a JWT, refresh tokens that work once, and at most five
 * sessions at a time (RingCentral guide: JWT flow, refresh tokens; OpenAPI: getToken).
 */
import { Result, Schema } from "effect"
import { reader } from "../decode.ts"
import type { Random } from "../random.ts"
import { type WireRequest, type WireResponse, json } from "../wire.ts"
import { refuseOauth } from "./answers.ts"

export interface Application {
  readonly clientId: string
  readonly clientSecret: string
  readonly jwt: string
  readonly ownerId: string
  readonly permissions: ReadonlyArray<string>
  readonly tokenSeconds: number
  readonly refreshTokens: boolean
}

interface Session {
  readonly id: string
  accessToken: string
  expiresAt: number
  refreshToken: string | undefined
  refreshUntil: number
}

/** The guide says "usually five". */
const mostSessions = 5
const refreshSeconds = 604_800

const Seconds = Schema.FiniteFromString.check(Schema.isInt())
const lifetimes = {
  access_token_ttl: Schema.optionalKey(Seconds),
  refresh_token_ttl: Schema.optionalKey(Seconds)
}
const readGrant = reader(
  Schema.Union([
    Schema.Struct({
      ...lifetimes,
      grant_type: Schema.Literal("urn:ietf:params:oauth:grant-type:jwt-bearer"),
      assertion: Schema.String
    }),
    Schema.Struct({ ...lifetimes, grant_type: Schema.Literal("refresh_token"), refresh_token: Schema.String })
  ])
)
type Grant = Result.Result.Success<ReturnType<typeof readGrant>>

const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high)

export class OAuth {
  readonly #application: Application
  readonly #random: Random
  #sessions: Array<Session> = []

  constructor(application: Application, random: Random) {
    this.#application = application
    this.#random = random
  }

  /** `POST /restapi/oauth/token`. */
  token(request: WireRequest, now: number): WireResponse {
    const refusal = this.#refuseClient(request)
    if (refusal !== undefined) return refusal
    const form = Object.fromEntries(new URLSearchParams(request.body))
    const grant = readGrant(form)
    if (Result.isFailure(grant)) {
      return form["grant_type"] === "refresh_token" || String(form["grant_type"]).endsWith(":jwt-bearer")
        ? refuseOauth("invalid_request", "OAU-146", "A parameter of the grant is missing or invalid")
        : refuseOauth("unsupported_grant_type", "OAU-112", "Grant type is not supported")
    }
    return grant.success.grant_type === "refresh_token"
      ? this.#refresh(grant.success.refresh_token, grant.success, now)
      : this.#login(grant.success.assertion, grant.success, now)
  }

  /** `POST /restapi/oauth/revoke`: ends the session of an access or refresh token. */
  revoke(request: WireRequest): WireResponse {
    const refusal = this.#refuseClient(request)
    if (refusal !== undefined) return refusal
    const token = new URLSearchParams(request.body).get("token") ?? new URLSearchParams(request.query).get("token")
    if (token === null) return refuseOauth("invalid_request", "OAU-146", "Parameter [token] is missing")
    this.#sessions = this.#sessions.filter((session) => session.accessToken !== token && session.refreshToken !== token)
    return { status: 200, headers: {}, body: "" }
  }

  check(request: WireRequest, now: number): "valid" | "expired" | "unknown" {
    const [, token] = /^bearer (.+)$/i.exec(request.headers["authorization"] ?? "") ?? []
    const session = token === undefined ? undefined : this.#sessions.find(({ accessToken }) => accessToken === token)
    if (session === undefined) return "unknown"
    return now < session.expiresAt ? "valid" : "expired"
  }

  #refuseClient(request: WireRequest): WireResponse | undefined {
    if (!(request.headers["content-type"] ?? "").startsWith("application/x-www-form-urlencoded")) {
      return { status: 415, headers: {}, body: "" }
    }
    const { clientId, clientSecret } = this.#application
    const expected = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString("base64")}`
    // The OpenAPI lists `invalid_client` under 400.
    return request.headers["authorization"] === expected
      ? undefined
      : refuseOauth("invalid_client", "OAU-140", "Invalid client credentials")
  }

  #login(assertion: string, grant: Grant, now: number): WireResponse {
    if (assertion !== this.#application.jwt) return refuseOauth("invalid_grant", "OAU-210", "Invalid assertion")
    const session = { id: this.#random.uuid(), accessToken: "", expiresAt: 0, refreshToken: undefined, refreshUntil: 0 }
    const alive = this.#sessions.filter((session) => now < Math.max(session.expiresAt, session.refreshUntil))
    // The sixth session costs the oldest its tokens.
    this.#sessions = [...alive.slice(-(mostSessions - 1)), session]
    return this.#issue(session, grant, now)
  }

  #refresh(refreshToken: string, grant: Grant, now: number): WireResponse {
    const session = this.#sessions.find((session) => session.refreshToken === refreshToken)
    return session === undefined || now >= session.refreshUntil
      ? refuseOauth("invalid_grant", "OAU-210", "Token not found")
      : this.#issue(session, grant, now)
  }

  /** Both tokens of the session are new, and the old ones are dead at once. */
  #issue(session: Session, grant: Grant, now: number): WireResponse {
    const { ownerId, permissions, refreshTokens, tokenSeconds } = this.#application
    const lifetime = Math.min(tokenSeconds, clamp(grant.access_token_ttl ?? 3600, 600, 3600))
    const refreshLifetime = clamp(grant.refresh_token_ttl ?? refreshSeconds, 1, 2_592_000)
    session.accessToken = `sandbox-access-${this.#random.hex(40)}`
    session.expiresAt = now + lifetime * 1000
    session.refreshToken = refreshTokens ? `sandbox-refresh-${this.#random.hex(40)}` : undefined
    session.refreshUntil = refreshTokens ? now + refreshLifetime * 1000 : 0
    return json(200, {
      access_token: session.accessToken,
      token_type: "bearer",
      expires_in: lifetime,
      scope: ["ReadAccounts", ...permissions].join(" "),
      owner_id: ownerId,
      session_id: session.id,
      ...(session.refreshToken !== undefined && {
        refresh_token: session.refreshToken,
        refresh_token_expires_in: refreshLifetime
      })
    })
  }
}
