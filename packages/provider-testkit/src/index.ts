export { type Candidate, conformance } from "./conformance.ts"
export { CannotFake, cannotFake, type Fake, type FakeEvents, type Fault } from "./fake.ts"
export type { OpenOptions } from "./law.ts"
export { openRelay, type Relay } from "./relay.ts"
