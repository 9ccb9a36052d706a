/**
 * One Postgres for all tests of a run: `TEST_DATABASE_URL`, else a container
 * where Docker runs, else the server from npm. Never none: a test that needs a
 * database fails without one.
 *
 * Each test file gets a database of its own, cloned from one migrated template.
 */
import { chmod, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import path from "node:path"
import { Effect, Exit, Redacted, Scope } from "effect"
import pg from "pg"
import type { TestProject } from "vitest/node"
import { Connection, embeddedPostgres, migrate } from "@stopline/ledger"

declare module "vitest" {
  interface ProvidedContext {
    postgres: { readonly url: string; readonly template: string }
  }
}

const container = async (): Promise<{ url: string; stop: () => Promise<unknown> } | undefined> => {
  const { getContainerRuntimeClient } = await import("testcontainers")
  try {
    await getContainerRuntimeClient()
  } catch {
    return undefined
  }
  const { PostgreSqlContainer } = await import("@testcontainers/postgresql")
  const started = await new PostgreSqlContainer("postgres:18-alpine").start()
  return { url: started.getConnectionUri(), stop: () => started.stop() }
}

const embedded = async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "stopline-test-"))
  // As root the server runs as another user, who must be able to pass.
  await chmod(folder, 0o755)
  const scope = Scope.makeUnsafe()
  const url = await Effect.runPromise(Scope.provide(embeddedPostgres({ folder, disposable: true }), scope))
  const stop = async () => {
    await Effect.runPromise(Scope.close(scope, Exit.void))
    await rm(folder, { recursive: true, force: true })
  }
  return { url: Redacted.value(url), stop }
}

const server = async () => {
  const given = process.env["TEST_DATABASE_URL"]
  if (given !== undefined && given !== "")
    return { what: "TEST_DATABASE_URL", url: given, stop: () => Promise.resolve() }
  const docker = await container()
  if (docker !== undefined) return { what: "a container", ...docker }
  return { what: "the Postgres from npm", ...(await embedded()) }
}

export const atDatabase = (url: string, database: string): string => {
  const at = new URL(url)
  at.pathname = `/${database}`
  return at.href
}

export default async (project: TestProject) => {
  const { stop, url, what } = await server()
  process.stdout.write(`tests use ${what}\n`)
  const template = `stopline_template_${process.pid}`
  const admin = new pg.Client({ connectionString: url })
  await admin.connect()
  await admin.query(`drop database if exists ${template} with (force)`)
  await admin.query(`create database ${template}`)
  const connection = Connection.layer(Redacted.make(atDatabase(url, template)), { connections: 1 })
  await Effect.runPromise(Effect.provide(migrate, connection))
  project.provide("postgres", { url, template })
  return async () => {
    await admin.query(`drop database if exists ${template} with (force)`)
    await admin.end()
    await stop()
  }
}
