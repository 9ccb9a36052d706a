/**
 * What can be made to go wrong, and when it does.
 *
 * A fault is armed for an account and strikes requests until it is cleared, or
 * `times` often. One that names no operation strikes every operation that its
 * kind concerns; logging in is spared unless it is named.
 */
import { Effect, Schema } from "effect"
import { SandboxError } from "./error.ts"

export type Vendor = "azure" | "ringcentral" | "twilio"

/**
 * `event` is what a vendor sends; all others are what it is asked. At RingCentral
 * a name stands for what is done, in whichever generation of its API.
 */
const operations = [
  "add",
  "remove",
  "check",
  "token",
  "list",
  "bulk-assign",
  "messages",
  "history",
  "export",
  "subscribe",
  "subscription",
  "consents",
  "inbox",
  "event"
] as const
export type Operation = (typeof operations)[number]

const Count = Schema.Int.check(Schema.isGreaterThan(0))
const Milliseconds = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

const common = {
  account: Schema.String,
  operation: Schema.optionalKey(Schema.Literals(operations)),
  /** Strikes so often, then is gone. Absent: until cleared. */
  times: Schema.optionalKey(Count),
  /** Only requests about this sender. */
  sender: Schema.optionalKey(Schema.String),
  /** Only requests about this recipient; for faults of one item, the item. Absent there: the first of the request. */
  recipient: Schema.optionalKey(Schema.String)
}

/** Whether the request is carried out although its answer is spoiled. Default: no. */
const applied = Schema.optionalKey(Schema.Boolean)

/**
 * - `throttle`: 429, with `Retry-After` in seconds, as an HTTP date, or without it
 * - `unavailable`: 500, 502, 503 or 504; `big`: with a megabyte of HTML
 * - `html-200`: a page of HTML with status 200
 * - `hang`: no answer; `slow`: the answer is held back for `ms`
 * - `drop-before`, `drop-after-apply`: the connection is cut before, or after, the request was carried out
 * - `item-refused`: one recipient is refused; `item-error`: one has status 500, or its like; `item-missing`: one is left out of the answer
 * - `invalid-input`: Azure or RingCentral refuses the whole request because of one recipient, and does not say which
 * - `empty-page`, `repeat-token`, `forgotten-token`, `short-list`: lists that mislead whoever walks them
 * - `stale-read`: reads are answered as of `ms` ago
 * - `lost-events`, `duplicate-events`
 */
export const Fault = Schema.Union([
  Schema.Struct({
    ...common,
    kind: Schema.Literal("throttle"),
    form: Schema.optionalKey(Schema.Literals(["seconds", "date", "none"])),
    /** Seconds, default 1. */
    retryAfter: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)))
  }),
  Schema.Struct({
    ...common,
    kind: Schema.Literal("unavailable"),
    status: Schema.optionalKey(Schema.Literals([500, 502, 503, 504])),
    big: Schema.optionalKey(Schema.Boolean),
    applied
  }),
  Schema.Struct({
    ...common,
    kind: Schema.Literals(["html-200", "hang", "item-error", "item-missing"]),
    applied
  }),
  Schema.Struct({ ...common, kind: Schema.Literals(["slow", "stale-read"]), ms: Milliseconds }),
  Schema.Struct({
    ...common,
    kind: Schema.Literals([
      "drop-before",
      "drop-after-apply",
      "item-refused",
      "invalid-input",
      "empty-page",
      "repeat-token",
      "forgotten-token",
      "short-list",
      "lost-events",
      "duplicate-events"
    ])
  })
])
export type Fault = typeof Fault.Type
export type FaultKind = Fault["kind"]

const writes: ReadonlyArray<Operation> = ["add", "remove", "bulk-assign", "consents"]
const items: ReadonlyArray<Operation> = ["add", "remove", "check", "bulk-assign", "consents"]
const azureItems: ReadonlyArray<Operation> = ["add", "remove", "check"]
const wholes: ReadonlyArray<Operation> = [...azureItems, "bulk-assign"]
const twilioOnly: ReadonlyArray<Operation> = ["consents", "inbox"]
const itemStatuses: ReadonlyArray<Operation> = [...azureItems, "consents"]
const lists: ReadonlyArray<Operation> = ["list"]
const pages: ReadonlyArray<Operation> = ["list", "messages", "history"]
const requests: ReadonlyArray<Operation> = operations.filter((name) => name !== "event" && name !== "token")
const logins: ReadonlyArray<Operation> = [...requests, "token"]
const everyEvent: ReadonlyArray<Operation> = ["event"]

/** Which operations a fault strikes when it names none, and which it may name. */
const concerns: Record<
  FaultKind,
  { readonly byDefault: ReadonlyArray<Operation>; readonly may: ReadonlyArray<Operation> }
> = {
  throttle: { byDefault: requests, may: logins },
  unavailable: { byDefault: requests, may: logins },
  "html-200": { byDefault: requests, may: logins },
  hang: { byDefault: requests, may: logins },
  slow: { byDefault: requests, may: logins },
  "drop-before": { byDefault: requests, may: logins },
  "drop-after-apply": { byDefault: writes, may: logins },
  "item-refused": { byDefault: items, may: items },
  "item-error": { byDefault: itemStatuses, may: itemStatuses },
  "item-missing": { byDefault: items, may: items },
  "invalid-input": { byDefault: wholes, may: wholes },
  "empty-page": { byDefault: lists, may: pages },
  "repeat-token": { byDefault: lists, may: pages },
  "forgotten-token": { byDefault: lists, may: pages },
  "short-list": { byDefault: lists, may: pages },
  "stale-read": { byDefault: ["check", "list"], may: ["check", "list"] },
  "lost-events": { byDefault: everyEvent, may: everyEvent },
  "duplicate-events": { byDefault: everyEvent, may: everyEvent }
}

/** What each vendor can be asked. */
const offers: Record<Vendor, ReadonlyArray<Operation>> = {
  azure: [...azureItems, "event"],
  ringcentral: operations.filter((name) => !azureItems.includes(name) && !twilioOnly.includes(name)),
  twilio: [...twilioOnly, "event"]
}

/** A request as a fault sees it. */
export interface Call {
  readonly operation: Operation
  readonly sender?: string | undefined
  readonly recipients?: ReadonlyArray<string>
}

type Of<Kind extends FaultKind> = Fault & { readonly kind: Kind }

const isOf = <Kind extends FaultKind>(fault: Fault, kinds: ReadonlyArray<Kind>): fault is Of<Kind> =>
  kinds.some((kind) => kind === fault.kind)

interface Armed {
  readonly fault: Fault
  left: number
}

export class Faults {
  readonly #vendor: Vendor
  #armed: Array<Armed> = []

  constructor(vendor: Vendor) {
    this.#vendor = vendor
  }

  arm(fault: Fault): Effect.Effect<void, SandboxError> {
    const possible = concerns[fault.kind].may.filter((operation) => offers[this.#vendor].includes(operation))
    if (possible.length === 0 || (fault.operation !== undefined && !possible.includes(fault.operation))) {
      const problem = `${fault.kind}${fault.operation === undefined ? "" : ` on ${fault.operation}`} cannot happen at ${fault.account} (${this.#vendor}).`
      const cure =
        possible.length === 0 ? "Arm it for an account of another vendor." : `Name one of: ${possible.join(", ")}.`
      return Effect.fail(new SandboxError({ problem, cure }))
    }
    return Effect.sync(() => {
      this.#armed.push({ fault, left: fault.times ?? Number.POSITIVE_INFINITY })
    })
  }

  clear(): void {
    this.#armed = []
  }

  armed(): ReadonlyArray<Fault> {
    return this.#armed.map(({ fault }) => fault)
  }

  /** The first armed fault of these kinds that the call meets; it is spent by being taken. */
  take<Kind extends FaultKind>(kinds: ReadonlyArray<Kind>, call: Call): Of<Kind> | undefined {
    return this.#spend(
      kinds,
      call,
      (recipient) => recipient === undefined || (call.recipients ?? []).includes(recipient)
    )
  }

  /** The same for one recipient of the call. */
  takeItem<Kind extends FaultKind>(
    kinds: ReadonlyArray<Kind>,
    call: Call,
    recipient: string,
    index: number
  ): Of<Kind> | undefined {
    return this.#spend(kinds, call, (named) => (named === undefined ? index === 0 : named === recipient))
  }

  /** How many copies of an event go out, to whoever listens: none, one or two. */
  copies(sender: string, recipient: string): number {
    const fault = this.take(["lost-events", "duplicate-events"], {
      operation: "event",
      sender,
      recipients: [recipient]
    })
    return fault === undefined ? 1 : fault.kind === "lost-events" ? 0 : 2
  }

  #spend<Kind extends FaultKind>(
    kinds: ReadonlyArray<Kind>,
    call: Call,
    meets: (recipient: string | undefined) => boolean
  ): Of<Kind> | undefined {
    const armed = this.#armed.find(
      ({ fault }) =>
        isOf(fault, kinds) &&
        (fault.operation === undefined
          ? concerns[fault.kind].byDefault.includes(call.operation)
          : fault.operation === call.operation) &&
        (fault.sender === undefined || fault.sender === call.sender) &&
        meets(fault.recipient)
    )
    if (armed === undefined) return undefined
    armed.left -= 1
    if (armed.left <= 0) this.#armed = this.#armed.filter((other) => other !== armed)
    return isOf(armed.fault, kinds) ? armed.fault : undefined
  }
}
