import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
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
          testTimeout: 60_000,
          hookTimeout: 60_000
        }
      }
    ]
  }
})
