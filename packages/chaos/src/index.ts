export { type Campaign, playCampaign } from "./campaign.ts"
export { kinds } from "./faults.ts"
export { type Row, tableOf } from "./table.ts"
export type { Trial } from "./trial.ts"
