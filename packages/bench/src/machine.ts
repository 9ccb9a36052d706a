/** What it was measured on: a figure without its machine says nothing. */
import { cpus, loadavg, totalmem } from "node:os"

export const machine = (postgres: string) => ({
  processor: cpus()[0]?.model ?? "unknown",
  cores: cpus().length,
  memory: `${Math.round(totalmem() / 1024 ** 3)} GB`,
  system: `${process.platform} ${process.arch}`,
  node: process.version,
  postgres,
  /** Of the last fifteen minutes. Far above what the benches cause, somebody else was at work. */
  load: Math.round((loadavg()[2] ?? 0) * 10) / 10
})

export type Machine = ReturnType<typeof machine>
