export { openProcesses, type Processes } from "./processes.ts"
export { Run, type Broken, type RunOptions, type RunResult, runSeed } from "./run.ts"
export { type Action, makeScript } from "./script.ts"
export { makeUniverse, type Universe } from "./universe.ts"
