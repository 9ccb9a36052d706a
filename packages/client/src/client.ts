/** Stopline over HTTP. */
import { StoplineError } from "./error.ts"
import { type Asking, type Call, type CallOptions, send } from "./request.ts"
import type {
  Approval,
  Approved,
  Attestation,
  Attested,
  CheckRequest,
  CheckResponse,
  From,
  Halt,
  Imported,
  LookupResponse,
  OptOutRow,
  Plan
} from "./types.ts"

export interface ClientOptions {
  /** Of a worker: `http://127.0.0.1:4000`. */
  readonly url: string
  /** What `stopline keys add` printed. */
  readonly key: string
  /** How long one request may take (ms): 5,000. An import or an approval may take twelve times as long. */
  readonly timeoutMs?: number
  readonly fetch?: typeof globalThis.fetch
}

/** Of rows that say nothing themselves. */
export interface ImportPlace {
  readonly sender?: string
  readonly account?: string
  /** `2026-01-05T10:00Z`, or a day. A row with no time at all is refused. */
  readonly at?: string
  readonly country?: string
}

export interface Client {
  /** Asks about up to 1,000 people. The answers are in their order. Whatever goes wrong is a StoplineError. */
  readonly check: (request: CheckRequest, options?: CallOptions) => Promise<CheckResponse>
  /**
   * May this one person be texted? True only if Stopline said so, just now. False if it said no. With no answer there is
   * a StoplineError and never a true: who does not catch it does not text.
   */
  readonly mayText: (request: From & { readonly recipient: string }, options?: CallOptions) => Promise<boolean>
  readonly lookup: (recipient: string, options?: CallOptions) => Promise<LookupResponse>
  readonly attest: (attestation: Attestation, options?: CallOptions) => Promise<Attested>
  /** Rows, or the text of a CSV. */
  readonly importOptOuts: (
    list: ReadonlyArray<OptOutRow> | string,
    place?: ImportPlace,
    options?: CallOptions
  ) => Promise<Imported>
  readonly plan: (options?: CallOptions) => Promise<Plan>
  /** Carries out exactly the plan with this digest; another one is a `conflict`. */
  readonly approve: (approval: Approval, options?: CallOptions) => Promise<Approved>
  readonly halts: (options?: CallOptions) => Promise<ReadonlyArray<Halt>>
  readonly clearHalt: (id: number, by: string, options?: CallOptions) => Promise<Halt>
}

export const createStoplineClient = (options: ClientOptions): Client => {
  const asking: Asking = {
    url: options.url.replace(/\/+$/, ""),
    key: options.key,
    timeoutMs: options.timeoutMs ?? 5_000,
    fetch: options.fetch ?? globalThis.fetch
  }
  const slow: Asking = { ...asking, timeoutMs: 12 * asking.timeoutMs }

  /** The server holds its answers to its schemas, and a test holds these types to them. */
  const ask = async <A>(call: Call, callOptions?: CallOptions, how: Asking = asking): Promise<A> =>
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    (await send(how, call, callOptions)) as A

  const post = (path: string, value: unknown): Call => ({ method: "POST", path, body: JSON.stringify(value) })
  const get = (path: string): Call => ({ method: "GET", path })

  const check: Client["check"] = async (request, callOptions) =>
    believed(request, await send(asking, post("/v1/check", request), callOptions))

  return {
    check,
    mayText: async ({ recipient, ...from }, callOptions) => {
      const { results } = await check({ ...from, recipients: [recipient] }, callOptions)
      return results[0]?.mayText === true
    },
    lookup: (recipient, callOptions) => ask(post("/v1/recipients/lookup", { recipient }), callOptions),
    attest: (attestation, callOptions) => ask(post("/v1/attestations", attestation), callOptions),
    importOptOuts: (list, place = {}, callOptions = {}) => {
      const query = new URLSearchParams(Object.entries(place).filter(([, value]) => value !== undefined)).toString()
      const path = `/v1/imports${query === "" ? "" : `?${query}`}`
      const call: Call =
        typeof list === "string"
          ? { method: "POST", path, body: list, contentType: "text/csv" }
          : post(path, { rows: list })
      return ask(call, callOptions, slow)
    },
    plan: (callOptions) => ask(get("/v1/plan"), callOptions),
    approve: (approval, callOptions) => ask(post("/v1/plan/approve", approval), callOptions, slow),
    halts: async (callOptions) => (await ask<{ halts: ReadonlyArray<Halt> }>(get("/v1/halts"), callOptions)).halts,
    clearHalt: (id, by, callOptions) => ask(post(`/v1/halts/${id}/clear`, { by }), callOptions)
  }
}

/** The one answer that somebody is texted upon is looked at closely: it must be about these people, in this order. */
const believed = ({ recipients }: CheckRequest, value: unknown): CheckResponse => {
  const results = typeof value === "object" && value !== null && "results" in value ? value.results : undefined
  const about = (result: unknown, index: number) =>
    typeof result === "object" &&
    result !== null &&
    "recipient" in result &&
    result.recipient === recipients[index] &&
    "mayText" in result &&
    typeof result.mayText === "boolean"
  if (!Array.isArray(results) || results.length !== recipients.length || !results.every(about)) {
    throw new StoplineError("unreadable", "the answer is not about the people who were asked about: text nobody")
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return value as CheckResponse
}
