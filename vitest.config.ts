import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    // Most of a test here is waiting: for Postgres, for a process to start, for a lease to end. One at a time, as two cores get by default, leaves them idle.
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: "unit",
          testTimeout: 60_000,
          include: ["packages/{client,consent,provider,provider-*,sandbox}/test/**/*.test.ts"]
        }
      },
      {
        test: {
          name: "postgres",
          include: [
            "packages/{ledger,engine,simulation,chaos,bench}/test/**/*.test.ts",
            "apps/*/test/**/*.test.ts",
            "test/**/*.test.ts"
          ],
          globalSetup: "./test/postgres.ts",
          testTimeout: 180_000,
          hookTimeout: 180_000
        }
      }
    ]
  }
})
