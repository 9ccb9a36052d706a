export * from "./adapter.ts"
export * from "./capability.ts"
export * from "./error.ts"
export * from "./turn.ts"
