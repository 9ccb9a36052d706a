/**
 * Something done for every sender of an account. A provider may deny one sender
 * and mean that sender only, so the others go on; a second denial says that it
 * is the account. What one sender was refused is the failure of the whole, after
 * all that could be done was.
 */
import type { RegisteredSender } from "@stopline/ledger"
import { ProviderError } from "@stopline/provider"
import { Effect } from "effect"

/** Of this sender, as far as can be told. Anything else would meet the next one as well. */
const isOfSender = ({ reason }: ProviderError): boolean =>
  reason._tag === "Denied" || reason._tag === "Refused" || reason._tag === "Unreadable"

export const eachSender = Effect.fnUntraced(function* <A, E, R>(
  senders: ReadonlyArray<RegisteredSender>,
  use: (sender: RegisteredSender) => Effect.Effect<A, E | ProviderError, R>
): Effect.fn.Return<ReadonlyArray<A>, E | ProviderError, R> {
  const done: Array<A> = []
  const failures: Array<ProviderError> = []
  for (const sender of senders) {
    const result = yield* Effect.result(use(sender))
    if (result._tag === "Success") {
      done.push(result.success)
      continue
    }
    const error = result.failure
    if (!(error instanceof ProviderError) || !isOfSender(error)) return yield* Effect.fail(error)
    failures.push(error)
    if (failures.filter(({ reason }) => reason._tag === "Denied").length > 1) break
  }
  const [first] = failures
  return first === undefined ? done : yield* first
})
