/**
 * What an author puts behind an adapter so that the laws can be tried on it: a
 * server on this machine that does what the provider does, and a few hands to
 * move it with.
 */
import type { Recipient, SenderAddress } from "@stopline/consent"
import type { Operation, RawRequest } from "@stopline/provider"
import { Data, type Duration, Effect } from "effect"

/** What is asked of a provider, by the names of the contract; `connect`: by a stream. */
export type Asked =
  | Extract<Operation, "probe" | "list" | "check" | "optOut" | "optIn" | "evidence" | "subscribe">
  | "connect"

export interface Fake {
  /** One of the account's senders, for which pairs can be written both ways. */
  readonly sender: SenderAddress
  /** People whom the provider takes for recipients; nobody of them is opted out. Thirty at least. */
  readonly people: ReadonlyArray<Recipient>
  /** What must never be in an error: keys, tokens, passwords. */
  readonly secrets: ReadonlyArray<string>
  /** Opts people out of the sender, behind the adapter's back. */
  readonly seed: (people: ReadonlyArray<Recipient>) => Effect.Effect<void>
  /** Who is opted out of the sender, by the fake's own books. */
  readonly held: Effect.Effect<ReadonlyArray<string>>
  /** Requests of the first call, where an adapter has to find something out before it. Absent: one, as of every later call. */
  readonly atFirst?: number
  /** Lets something go wrong at the next request of this operation, where it takes several: at the first of them. */
  readonly fault: (operation: Asked, fault: Fault) => Effect.Effect<void, CannotFake>
  /** The requests so far, a line for each, with no number in it. Logging in is no request. */
  readonly log: Effect.Effect<ReadonlyArray<string>>
  /** Requests that are neither answered nor given up, and connections that a stream holds. */
  readonly inFlight: Effect.Effect<number, CannotFake>
  /** Breaks every connection that a stream holds. Absent: there are no streams. */
  readonly hangUp?: Effect.Effect<void>
  /** A person texts the sender. */
  readonly text: (person: Recipient, words: string) => Effect.Effect<void, CannotFake>
  readonly events: FakeEvents
}

export interface FakeEvents {
  /** Sends events to this URL from now on, where the adapter's own subscription port cannot arrange that. */
  readonly subscribe: (url: string) => Effect.Effect<void, CannotFake>
  /** This request as somebody would send it who does not know the secret, in all the ways there are. */
  readonly forge: (request: RawRequest) => ReadonlyArray<RawRequest>
  /** This request with another body, as the provider itself would send it: signed anew. Absent: nothing is signed. */
  readonly rewrite?: (request: RawRequest, body: string) => RawRequest
}

/**
 * What can go wrong. `applied`: the work is done all the same.
 *
 * - `throttled`: 429, with the time to wait or without
 * - `unavailable`: a 5xx status; `html`: a web page with status 200
 * - `hang`: no answer ever comes; `cut`: the connection breaks instead of an answer
 * - `unreachable`: from now on no connection can be made
 * - `denied`: 401 or 403; `refused`: any other 4xx, about the whole request
 * Those about one recipient last until the test ends, whatever else is asked meanwhile:
 *
 * - `itemRefused`, `itemMissing`: one recipient is turned down, or left out of the answer
 * - `batchRefused`: the whole request is turned down because of one recipient, who is not named
 *
 * Those about a list:
 *
 * - `emptyPage`: a page without rows that names a next one; `repeatedToken`: a page that names itself as the next
 * - `forgottenToken`: the token of the page is not known any more
 */
export type Fault =
  | { readonly kind: "throttled"; readonly retryAfter?: Duration.Duration }
  | { readonly kind: "unavailable" | "html" | "hang" | "cut"; readonly applied: boolean }
  | { readonly kind: "unreachable" | "denied" | "refused" | "emptyPage" | "repeatedToken" | "forgottenToken" }
  | { readonly kind: "itemRefused" | "batchRefused"; readonly recipient: Recipient }
  | { readonly kind: "itemMissing"; readonly recipient: Recipient; readonly applied: boolean }

/** The fake does not know how. The law is skipped, with this reason. */
export class CannotFake extends Data.TaggedError("CannotFake")<{ readonly reason: string }> {}

export const cannotFake = (reason: string): Effect.Effect<never, CannotFake> => Effect.fail(new CannotFake({ reason }))
