/**
 * Two workers, the providers and a Postgres, each in a process of its own on this
 * machine, and every way between them a door that can be shut.
 */
import { mkdir, writeFile } from "node:fs/promises"
import path from "node:path"
import { freePort, type LedgerError } from "@stopline/ledger"
import { Effect, Schedule, type Scope } from "effect"
import { azure, ringcentral, senders } from "./accounts.ts"
import { makeBalancer } from "./balancer.ts"
import { type Child, makeChild } from "./child.ts"
import { azureSecret, configText, environmentOf, hurried, type Places } from "./config.ts"
import { type Account, type Control, controlOf } from "./control.ts"
import { type Database, openDatabase } from "./database.ts"
import { type Door, makeDoor } from "./door.ts"
import { Record } from "./record.ts"
import { makeWires, type Wires, type Write } from "./wire.ts"

export interface Worker {
  readonly process: Child
  readonly port: number
  readonly toDatabase: Door
  readonly toProviders: ReadonlyArray<Door>
}

export interface World {
  readonly folder: string
  readonly database: Database
  readonly providers: Child
  readonly control: Control
  readonly workers: readonly [Worker, Worker]
  /** Where no worker stands, and no door: for looking from outside. */
  readonly outside: { readonly folder: string; readonly environment: Readonly<{ readonly [name: string]: string }> }
  readonly record: Record
  readonly writes: ReadonlyArray<Write>
}

const stopline = new URL("../../../apps/cli/bin/stopline.mjs", import.meta.url).pathname
const provider = new URL("provider.ts", import.meta.url).pathname

/** `node` and these arguments are the command line as a person runs it. */
export const commandLine = (...args: ReadonlyArray<string>): ReadonlyArray<string> => [stopline, ...args]

/** @param folder for everything that is written; it is left as it is */
export const openWorld = Effect.fn("openWorld")(function* (
  folder: string,
  seed: number,
  schedule = hurried
): Effect.fn.Return<World, LedgerError, Scope.Scope> {
  const inside = (name: string) => path.join(folder, name)
  for (const name of ["postgres", "one", "two", "outside"]) {
    yield* Effect.promise(() => mkdir(inside(name), { recursive: true, mode: 0o755 }))
  }
  const database = yield* openDatabase(inside("postgres"), process.env["DATABASE_URL"])
  const controlPort = yield* freePort
  const ports = [yield* freePort, yield* freePort] as const
  const providers = yield* makeChild({
    name: "providers",
    args: [provider, String(seed), String(controlPort)],
    folder,
    environment: {},
    log: inside("providers.log")
  })
  yield* providers.start
  const control = controlOf(`http://127.0.0.1:${controlPort}`)
  const accounts = yield* control.accounts
  const balancer = yield* makeBalancer(ports)
  const wires = yield* makeWires
  const worker = (name: string, port: number) =>
    makeWorker({ name, port, folder: inside(name), accounts, database, wires, publicUrl: balancer, schedule })
  const workers = [yield* worker("one", ports[0]), yield* worker("two", ports[1])] as const
  const url = (name: string) => accounts.find((account) => account.name === name)?.url ?? ""
  const direct = {
    azureUrl: url(azure),
    ringcentralUrl: url(ringcentral),
    databaseUrl: database.urlAt(database.port()),
    port: 0,
    publicUrl: balancer
  }
  yield* Effect.promise(() => writeFile(path.join(inside("outside"), "stopline.yaml"), configText(direct, schedule)))
  for (const { process } of workers) yield* process.start
  for (const one of workers) yield* ready(one)
  yield* control.subscribe(azure, `${balancer}/webhooks/${azure}?code=${azureSecret}`)
  return {
    folder,
    database,
    providers,
    control,
    workers,
    outside: {
      folder: inside("outside"),
      get environment() {
        return environmentOf(accounts, { ...direct, databaseUrl: database.urlAt(database.port()) })
      }
    },
    record: new Record(senders),
    writes: wires.writes
  }
})

interface Wanted {
  readonly name: string
  readonly port: number
  readonly folder: string
  readonly accounts: ReadonlyArray<Account>
  readonly database: Database
  readonly wires: Wires
  readonly publicUrl: string
  readonly schedule: string
}

const makeWorker = Effect.fnUntraced(function* (wanted: Wanted) {
  const { accounts, database, folder, name, port, publicUrl, schedule, wires } = wanted
  const toDatabase = yield* makeDoor(database.port)
  const way = Effect.fnUntraced(function* (account: string) {
    const target = accounts.find((one) => one.name === account)?.url ?? ""
    const wire = yield* wires.lay(name, account, target)
    return yield* makeDoor(() => Number(new URL(wire).port))
  })
  const toAzure = yield* way(azure)
  const toRingCentral = yield* way(ringcentral)
  const places: Places = {
    azureUrl: `http://127.0.0.1:${toAzure.port}`,
    ringcentralUrl: `http://127.0.0.1:${toRingCentral.port}`,
    databaseUrl: database.urlAt(toDatabase.port),
    port,
    publicUrl
  }
  yield* Effect.promise(() => writeFile(path.join(folder, "stopline.yaml"), configText(places, schedule)))
  const process = yield* makeChild({
    name: `worker ${name}`,
    args: commandLine("up", "--json", "--config", "stopline.yaml"),
    folder,
    environment: environmentOf(accounts, places),
    log: path.join(folder, "worker.log")
  })
  const worker: Worker = { process, port, toDatabase, toProviders: [toAzure, toRingCentral] }
  return worker
})

/** Waits until a worker says that it is well. */
export const ready = (worker: Worker): Effect.Effect<void> =>
  Effect.tryPromise(async () => {
    const response = await fetch(`http://127.0.0.1:${worker.port}/healthz`, { signal: AbortSignal.timeout(5_000) })
    if (!response.ok) throw new Error(`it says ${response.status}`)
  }).pipe(Effect.retry({ times: 600, schedule: Schedule.spaced("50 millis") }), Effect.orDie)
