export * from "./absences.ts"
export { answers } from "./answers.ts"
export * from "./ask.ts"
export { digits, toRecipient } from "./codec.ts"
export { clockAhead } from "./clock.ts"
export { Connection, openPool, patiently } from "./connection.ts"
export * from "./drift.ts"
export { embeddedPostgres } from "./embedded.ts"
export { LedgerError, ledgerError } from "./error.ts"
export { flows, type Flow } from "./flows.ts"
export { temporaryFolder } from "./folder.ts"
export { freePort } from "./port.ts"
export * from "./fold.ts"
export * from "./halts.ts"
export * from "./hearing.ts"
export * from "./history.ts"
export * from "./ingest.ts"
export * from "./keys.ts"
export * from "./lanes.ts"
export * from "./lately.ts"
export * from "./ledger.ts"
export { migrate } from "./migrate.ts"
export { block, blockedFor, type Bucket, reserve } from "./paces.ts"
export * from "./people.ts"
export * from "./readings.ts"
export * from "./registry.ts"
export * from "./runs.ts"
export { sessionLocks } from "./session.ts"
export { settle, settleAll } from "./settle.ts"
export * from "./sweeps.ts"
export * from "./unheld.ts"
export { unlisted, type Unlisted } from "./unlisted.ts"
export { loadViews, type Pair, pairKey, type PairView } from "./views.ts"
export {
  abandonWalk,
  beginWalk,
  commitPage,
  type PageCommit,
  unfinishedWalk,
  type Walk,
  type WalkBegun,
  walkKey
} from "./walks.ts"
export * from "./writes.ts"
export type { RunKind } from "./schema.ts"
export { WatchfulClient } from "./watchful.ts"
