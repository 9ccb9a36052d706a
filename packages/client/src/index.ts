export { type Client, type ClientOptions, createStoplineClient, type ImportPlace } from "./client.ts"
export { type ErrorKind, StoplineError } from "./error.ts"
export type * from "./types.ts"
