/** The ledger, ready to use: a connection to a migrated database. */
import { Context, Effect, Layer, type Redacted } from "effect"
import { Connection } from "./connection.ts"
import { embeddedPostgres } from "./embedded.ts"
import type { LedgerError } from "./error.ts"
import { migrate } from "./migrate.ts"

export type LedgerPlace =
  | { readonly _tag: "Url"; readonly url: Redacted.Redacted }
  /** A Postgres of our own, with its files in this folder. */
  | { readonly _tag: "Embedded"; readonly folder: string }

/** Where the ledger is, for whoever keeps something beside it. */
export class LedgerUrl extends Context.Service<LedgerUrl, Redacted.Redacted>()("@stopline/ledger/LedgerUrl") {}

/** Opens and migrates the ledger at a place, for as long as the scope lives. */
export const ledgerLayer = (
  place: LedgerPlace,
  options?: { readonly connections?: number }
): Layer.Layer<Connection | LedgerUrl, LedgerError> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const url = place._tag === "Url" ? place.url : yield* embeddedPostgres({ folder: place.folder })
      return Layer.effectDiscard(migrate).pipe(
        Layer.provideMerge(Connection.layer(url, options)),
        Layer.merge(Layer.succeed(LedgerUrl, url))
      )
    })
  )
