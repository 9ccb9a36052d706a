/**
 * Which key may do what. A key is 256 random bits, so its SHA-256 is as safe to
 * keep as any slow hash of it: there is nothing to guess with a dictionary.
 *
 * The keys are few and read again every other second, so that one that is
 * revoked is refused by every worker soon after.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto"
import { type ApiKey, Connection, type HashedKey, type LedgerError, standingKeys } from "@stopline/ledger"
import { Clock, Context, Effect, Layer, Redacted, Semaphore } from "effect"
import { promptly } from "./problems.ts"

/** How long a key that was revoked may still be taken, at most (ms). */
const staleMs = 2_000
/** A key that nobody knows is looked for again this long after the last look (ms). */
const againMs = 100

const form = /^stopline_([0-9a-f]{8})_[A-Za-z0-9_-]{43}$/

/** A key no longer than this is looked at. */
const longest = 100

const handleOf = (key: string): string | undefined => (key.length > longest ? undefined : form.exec(key)?.[1])

const digestOf = (key: string): Buffer => createHash("sha256").update(key).digest()

export interface FreshKey {
  /** The only time that it is seen. */
  readonly key: Redacted.Redacted
  readonly handle: string
  readonly digest: Buffer
}

/** A new key, and what is stored of it. */
export const makeKey: Effect.Effect<FreshKey> = Effect.sync(() => {
  const handle = randomBytes(4).toString("hex")
  const key = `stopline_${handle}_${randomBytes(32).toString("base64url")}`
  return { key: Redacted.make(key), handle, digest: digestOf(key) }
})

export class Keys extends Context.Service<
  Keys,
  {
    /** The key that this is, if it is one in force. */
    readonly find: (credential: Redacted.Redacted) => Effect.Effect<ApiKey | undefined, LedgerError>
    /** The same without a look: undefined also when one is due. */
    readonly glance: (credential: string, now: number) => ApiKey | undefined
  }
>()("@stopline/worker/Keys") {
  static readonly layer: Layer.Layer<Keys, never, Connection> = Layer.effect(
    Keys,
    Effect.gen(function* () {
      const connection = yield* Connection
      const turn = yield* Semaphore.make(1)
      let known: ReadonlyMap<string, HashedKey> = new Map()
      /** When the look began that they come from. */
      let lookedAt = Number.NEGATIVE_INFINITY
      /** After now: the clock was ahead and has been set back, and nobody knows how long ago that was. */
      const isFresh = (now: number) => lookedAt <= now && now - lookedAt <= staleMs

      /** Looks again unless somebody has since that moment. Whoever comes while one looks waits for it. */
      const lookAfter = (moment: number) =>
        turn.withPermit(
          Effect.gen(function* () {
            const now = yield* Clock.currentTimeMillis
            if (lookedAt >= moment && lookedAt <= now) return
            const keys = yield* promptly(Effect.provideService(standingKeys(), Connection, connection))
            known = new Map(keys.map((key) => [key.handle, key]))
            lookedAt = now
          })
        )

      const find = Effect.fnUntraced(function* (credential: Redacted.Redacted) {
        const text = Redacted.value(credential)
        const handle = handleOf(text)
        if (handle === undefined) return undefined
        const now = yield* Clock.currentTimeMillis
        if (!isFresh(now)) yield* lookAfter(now)
        if (!known.has(handle)) {
          // It may be new. Guesses cannot make us look more often than this.
          if (now - lookedAt < againMs) yield* Effect.sleep(Math.min(againMs, lookedAt + againMs - now))
          yield* lookAfter(now)
        }
        return match(handle, text, now)
      })

      const match = (handle: string, text: string, now: number): ApiKey | undefined => {
        const key = known.get(handle)
        if (key === undefined || !timingSafeEqual(key.digest, digestOf(text))) return undefined
        return key.expiresAt !== null && key.expiresAt <= now ? undefined : key
      }

      const glance = (text: string, now: number) => {
        const handle = handleOf(text)
        return handle === undefined || !isFresh(now) ? undefined : match(handle, text, now)
      }

      return Keys.of({ find, glance })
    })
  )
}
