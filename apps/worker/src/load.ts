/**
 * Reading the configuration file. What is wrong is said all at once, each with
 * its line and the cure, before anything is started.
 */
import { readFile } from "node:fs/promises"
import path from "node:path"
import { type Group, type Member, resolveGroups } from "@stopline/consent"
import { Duration, Effect, Predicate, Schema } from "effect"
import { isMap, isNode, LineCounter, parseDocument } from "yaml"
import { ConfigFile } from "./config.ts"
import { wrongIn } from "./wrong.ts"

/** One thing that is wrong in the file. */
export interface Problem {
  /** From 1; absent when the place is not in the file. */
  readonly line?: number
  /** `accounts[0].senders[1]` */
  readonly place: string
  readonly problem: string
}

export class ConfigError extends Schema.TaggedError<ConfigError>()("ConfigError", {
  file: Schema.String,
  problems: Schema.Array(
    Schema.Struct({ line: Schema.optionalKey(Schema.Int), place: Schema.String, problem: Schema.String })
  )
}) {
  override get message(): string {
    const lines = this.problems.map(({ line, place, problem }) => {
      const where = line === undefined ? this.file : `${this.file}:${line}`
      return place === "" ? `${where}: ${problem}` : `${where}: ${place}: ${problem}`
    })
    return lines.join("\n")
  }
}

/** A configuration that makes sense, with its groups resolved. */
export interface Config {
  readonly file: string
  /** What it names is beside it, whichever folder the command is typed in. */
  readonly folder: string
  readonly content: ConfigFile
  readonly groups: ReadonlyArray<Group>
  /** Finds the line of a place, for problems that show later. */
  readonly problem: (place: ReadonlyArray<PropertyKey>, text: string) => ConfigError
}

export const loadConfig = Effect.fn("loadConfig")(function* (file: string): Effect.fn.Return<Config, ConfigError> {
  const text = yield* Effect.tryPromise({
    try: () => readFile(file, "utf8"),
    catch: (cause) =>
      fail(file, [
        {
          place: "",
          problem:
            Predicate.hasProperty(cause, "code") && cause.code === "ENOENT"
              ? "there is no such file; name another with --config"
              : "it cannot be read"
        }
      ])
  })
  return yield* parseConfig(file, text)
})

/** Reads the text of a configuration file. */
export const parseConfig = Effect.fn("parseConfig")(function* (
  file: string,
  text: string
): Effect.fn.Return<Config, ConfigError> {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  // The first one: what follows is mostly its consequence.
  const [broken] = document.errors
  if (broken !== undefined) return yield* fail(file, [notYaml(broken.message, lines.linePos(broken.pos[0]).line)])
  /** The line of a path, or of the nearest thing around it that stands in the file. */
  const lineOf = (place: ReadonlyArray<PropertyKey>): number | undefined => {
    for (let length = place.length; length > 0; length--) {
      const around: unknown = length === 1 ? document.contents : document.getIn(place.slice(0, length - 1), true)
      const key = isMap(around) ? around.items.find((pair) => String(pair.key) === place[length - 1])?.key : undefined
      const node: unknown = key ?? document.getIn(place.slice(0, length), true)
      if (isNode(node) && node.range != null) return lines.linePos(node.range[0]).line
    }
    return undefined
  }
  const at = (place: ReadonlyArray<PropertyKey>, problem: string): Problem => {
    const line = lineOf(place)
    return { ...(line !== undefined && { line }), place: placeOf(place), problem }
  }
  // Aliases are resolved only here.
  const plain = yield* Effect.try({
    try: (): unknown => document.toJS(),
    catch: (cause) => fail(file, [notYaml(Predicate.isError(cause) ? cause.message : "it cannot be read")])
  })
  const content = yield* Effect.mapError(decode(plain), (error) =>
    fail(
      file,
      wrongIn(error).map((wrong) => at(wrong.path, wrong.message))
    )
  )
  const problems = [...twice(content, at)]
  const members = content.accounts.flatMap((account) =>
    account.senders.map((sender): Member => ({ account: account.name, sender }))
  )
  const resolved = resolveGroups(
    members,
    content.groups?.map((group) => ({ name: group.name, members: group.senders }))
  )
  for (const { group, member, other, problem } of resolved.problems) {
    const g = content.groups?.findIndex((candidate) => candidate.name === group) ?? 0
    const s = content.groups?.[g]?.senders.indexOf(member) ?? 0
    problems.push(
      at(
        ["groups", g, "senders", s],
        problem === "unknown"
          ? `no account has the sender ${member}; add it to the account's senders, or take it out here`
          : `${member} is in the group ${other} already; a sender speaks for one group`
      )
    )
  }
  if (problems.length > 0) return yield* fail(file, problems)
  return {
    file,
    folder: path.dirname(path.resolve(file)),
    content,
    groups: resolved.groups,
    problem: (place, message) => fail(file, [at(place, message)])
  }
})

const fail = (file: string, problems: ReadonlyArray<Problem>) => new ConfigError({ file, problems })

const decode = Schema.decodeUnknownEffect(ConfigFile, { errors: "all", onExcessProperty: "error" })

const notYaml = (message: string, line?: number): Problem => ({
  ...(line !== undefined && { line }),
  place: "",
  problem: `this is no YAML: ${message}`
})

/** `accounts[0].senders[1]` */
const placeOf = (keys: ReadonlyArray<PropertyKey>): string =>
  keys.reduce<string>(
    (place, key) =>
      typeof key === "number" ? `${place}[${key}]` : place === "" ? String(key) : `${place}.${String(key)}`,
    ""
  )

/** Names that stand twice where each may stand once. */
const twice = (
  content: ConfigFile,
  at: (place: ReadonlyArray<PropertyKey>, problem: string) => Problem
): ReadonlyArray<Problem> => {
  const problems: Array<Problem> = []
  const accounts = new Set<string>()
  content.accounts.forEach((account, a) => {
    if (accounts.has(account.name))
      problems.push(at(["accounts", a, "name"], `another account is called ${account.name}`))
    accounts.add(account.name)
    const senders = new Set<string>()
    account.senders.forEach((sender, s) => {
      if (senders.has(sender)) problems.push(at(["accounts", a, "senders", s], `${sender} stands here twice`))
      senders.add(sender)
    })
  })
  const groups = new Set<string>()
  content.groups?.forEach((group, g) => {
    if (groups.has(group.name)) problems.push(at(["groups", g, "name"], `another group is called ${group.name}`))
    groups.add(group.name)
  })
  return problems
}

export const millis = (duration: Duration.Duration | undefined, otherwise: number): number =>
  duration === undefined ? otherwise : Duration.toMillis(duration)
