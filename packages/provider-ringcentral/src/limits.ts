/**
 * RingCentral's limits: what is published, what was configured, and what its
 * answers say (RingCentral guide: rate limits). A request during a penalty begins
 * the penalty anew, so none leaves before it is over.
 */
import type { Gate, LimitGroup, Operation } from "@stopline/provider"
import { longestPenalty, Throttled } from "@stopline/provider"
import { Clock, Duration, Effect } from "effect"
import type { Pace, ResolvedConfig } from "./config.ts"
import type { Answer } from "./exchange.ts"
import { type Fault, retryAfter } from "./failure.ts"

/** A limit by its name in RingCentral's documents. An answer may name another. */
export type Group = "light" | "medium" | "auth"

/** Requests in 60 seconds, and how many of them at once: logins come in a bunch when processes start, and then hardly ever. */
const published: Record<Group, { readonly requests: number; readonly atOnce?: number }> = {
  light: { requests: 50 },
  medium: { requests: 40 },
  auth: { requests: 5, atOnce: 4 }
}

const drawn: Record<Group, ReadonlyArray<Operation>> = {
  light: ["probe", "list", "check", "optOut", "optIn", "evidence"],
  // Asked for by the requests themselves: making a subscription takes some of either group.
  medium: [],
  auth: ["login"]
}

/** What was learned about one credential, by whatever account. */
export interface Learned {
  readonly limits: Map<string, Pace>
  /** The group in which RingCentral counts an operation, where it is not the published one. */
  readonly groups: Map<Operation, string>
  /** Until when a group is under a penalty (ms). */
  readonly shut: Map<string, number>
}

export const nothingLearned = (): Learned => ({ limits: new Map(), groups: new Map(), shut: new Map() })

/** What a request draws on. */
export interface Drawing {
  readonly operation: Operation
  readonly group: Group
}

export interface Limits {
  readonly groups: () => ReadonlyArray<LimitGroup>
  /** Waits for a turn at the gate that all processes share. */
  readonly turn: (drawing: Drawing) => Effect.Effect<void, Fault>
  /** Fails during a penalty. To be asked last, right before a request leaves. */
  readonly open: (drawing: Drawing) => Effect.Effect<void, Fault>
  /** Learns from the headers of an answer. */
  readonly heard: (drawing: Drawing, answer: Answer) => Effect.Effect<void>
}

export const makeLimits = (config: ResolvedConfig, learned: Learned, gate: Gate): Limits => {
  const named = (name: string, group: Group, operations: ReadonlyArray<Operation>): LimitGroup => {
    const { atOnce, requests } = published[group]
    const told = learned.limits.get(name)
    const wished = group === "light" ? config.pace : undefined
    return {
      name,
      credential: `${config.server.host}/${config.clientId}`,
      ...slower(wished ?? told ?? { requests, window: Duration.minutes(1) }, told),
      ...(atOnce !== undefined && { atOnce }),
      penalty: config.penalty,
      operations
    }
  }

  /** Operations that RingCentral counts elsewhere than is published stand in a group of their own. */
  const groups = () =>
    (["light", "medium", "auth"] as const).flatMap((group) => {
      const by = Map.groupBy(drawn[group], (operation) => learned.groups.get(operation) ?? group)
      return [...(by.has(group) ? by : new Map([[group, []], ...by]))].map(([name, operations]) =>
        named(name, group, operations)
      )
    })

  const nameOf = ({ group, operation }: Drawing): string => learned.groups.get(operation) ?? group
  const find = (name: string) => groups().filter((limit) => limit.name === name)

  const shut = Effect.fnUntraced(function* (names: ReadonlyArray<string>, asked: Duration.Duration) {
    const wait = Duration.min(asked, longestPenalty)
    const until = (yield* Clock.currentTimeMillis) + Duration.toMillis(wait)
    for (const name of names) {
      learned.shut.set(name, Math.max(until, learned.shut.get(name) ?? 0))
      for (const limit of find(name)) yield* gate.shut(limit, wait)
    }
  })

  const open = Effect.fnUntraced(function* (drawing: Drawing) {
    const left = (learned.shut.get(nameOf(drawing)) ?? 0) - (yield* Clock.currentTimeMillis)
    if (left > 0) return yield* Effect.fail(waiting(drawing, new Throttled({ retryAfter: Duration.millis(left) })))
  })

  const turn = (drawing: Drawing): Effect.Effect<void, Fault> =>
    Effect.forEach(find(nameOf(drawing)).slice(0, 1), (limit) => gate.turn(limit), { discard: true }).pipe(
      Effect.mapError((reason) => ({ reason, detail: `no request of the group ${drawing.group} may leave now` }))
    )

  const heard = Effect.fnUntraced(function* (drawing: Drawing, { headers, status }: Answer) {
    const told = readLimit(headers)
    if (told !== undefined) {
      learned.limits.set(told.name, told)
      // A login and a request about subscriptions say of themselves which group they are.
      if (drawn[drawing.group].includes(drawing.operation)) learned.groups.set(drawing.operation, told.name)
    }
    if (status === 429) {
      const asked = retryAfter(headers, yield* Clock.currentTimeMillis) ?? config.penalty
      // Without the name of a limit it is the account's or the platform's, and concerns all of them.
      // Under a name that is not the published one, a request about subscriptions draws on its published group here.
      const names = told === undefined ? groups().map(({ name }) => name) : [told.name, nameOf(drawing)]
      return yield* shut([...new Set(names)], asked)
    }
    // Somebody else has used the rest: one more request would cost a penalty.
    if (told?.remaining === 0) yield* shut([told.name], told.window)
  })

  return { groups, heard, open, turn }
}

/** What was configured may be slower than RingCentral allows, on purpose: somebody else uses the same credential. */
const slower = (a: Pace, b: Pace | undefined): Pace =>
  b !== undefined && perMs(b) < perMs(a)
    ? { requests: b.requests, window: b.window }
    : { requests: a.requests, window: a.window }
const perMs = ({ requests, window }: Pace): number => requests / Duration.toMillis(window)

const waiting = ({ group }: Drawing, reason: Throttled): Fault => ({
  reason,
  detail: `RingCentral's penalty for the group ${group} is not over; nothing was sent`
})

/** The four headers of a limit, if all that matters can be read. */
const readLimit = (headers: Headers) => {
  const name = headers.get("x-rate-limit-group")?.trim().toLowerCase() ?? ""
  const whole = (header: string) => {
    const text = headers.get(header)?.trim() ?? ""
    return /^\d{1,6}$/.test(text) ? Number(text) : undefined
  }
  const requests = whole("x-rate-limit-limit")
  const seconds = whole("x-rate-limit-window")
  if (!/^[a-z][a-z0-9_-]{0,39}$/.test(name) || !requests || !seconds) return undefined
  return { name, requests, window: Duration.seconds(seconds), remaining: whole("x-rate-limit-remaining") }
}

/**
 * The gate of an adapter that was handed none: it waits for nobody, and says
 * when a group has had its requests. It keeps an account whose every token is
 * refused from logging in with each request.
 */
export const ownGate = (): Gate => {
  const spent = new Map<string, ReadonlyArray<number>>()
  return {
    turn: Effect.fnUntraced(function* ({ credential, name, requests, window }) {
      const now = yield* Clock.currentTimeMillis
      const ms = Duration.toMillis(window)
      const key = `${credential}/${name}`
      const recent = (spent.get(key) ?? []).filter((time) => time > now - ms)
      const [first] = recent
      if (first !== undefined && recent.length >= requests) {
        return yield* new Throttled({ retryAfter: Duration.millis(first + ms - now) })
      }
      spent.set(key, [...recent, now])
    }),
    shut: () => Effect.void
  }
}
