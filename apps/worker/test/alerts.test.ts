/**
 * What wakes an operator: each alert is provoked at a real worker and fires, and
 * at a healthy one none does. `for` is not waited for. And whatever the alerts
 * and the dashboard ask for is there to be asked for.
 */
import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, type Scope } from "effect"
import { movableClock } from "./clock.ts"
import { evaluate, matches, usedBy } from "./promql.ts"
import type { Scrape } from "./scrape.ts"
import { readDashboard, readRoot, readRules, scrape } from "./truth.ts"
import { startWorker } from "./worker.ts"
import {
  acmeSender,
  azure,
  azureHolds,
  azureSenders,
  eventually,
  lastRound,
  listenToAzure,
  makeWorld,
  ringcentral,
  roundAfter,
  secrets,
  tenDlc,
  type World
} from "./world.ts"

type Pass = Effect.Success<typeof movableClock>["pass"]

interface Provocation {
  /** The alerts that have to fire, and what each names. */
  readonly fires: Readonly<Record<string, Labels>>
  readonly provoke: (watch: Watch, pass: Pass) => Effect.Effect<void, unknown, Scope.Scope>
}

/** Scrapes a worker until an alert fires. */
interface Watch {
  readonly of: (world: World) => Effect.Effect<void, unknown>
  /** Succeeds with the labels of all that fires then. */
  readonly until: (alert: string, meanwhile?: Effect.Effect<unknown>) => Effect.Effect<ReadonlyArray<Labels>, unknown>
}

type Labels = Readonly<Record<string, string>>

/** Long enough that nothing but the fault makes anything happen. */
const rarely = "schedule: { every: 12 hours }"

const stop = (world: World, from: string, to: string) => world.sandbox.text({ from, to, text: "STOP" })

/** Until a round has ended that began later than now: what the clock alone would make fire does not count. */
const anotherRound = (world: World) => Effect.flatMap(lastRound(world), (last) => roundAfter(world, last))

/** Until an account has been read from now on. */
const readAgain = Effect.fnUntraced(function* ({ sql }: World, account: string) {
  const done = Effect.map(
    sql<{ id: number }>(
      "select coalesce(max(r.id), 0)::int as id from run r join account a on a.id = r.account_id where a.name = $1 and r.kind in ('walk', 'sweep') and r.outcome = 'completed'",
      [account]
    ),
    ([row]) => row?.id ?? 0
  )
  // The first may have begun before.
  for (let time = 0; time < 2; time++) {
    const before = yield* done
    yield* eventually(
      `${account} is read`,
      Effect.map(done, (id) => id > before),
      Number.POSITIVE_INFINITY
    )
  }
})

const provocations: ReadonlyArray<Provocation> = [
  {
    fires: { StoplineOptOutNotHeld: { account: azure, kind: "toll-free" } },
    provoke: Effect.fnUntraced(function* (watch, pass) {
      const world = yield* makeWorld({ anyDate: true, rest: "schedule: { every: 1 minute }" })
      yield* startWorker(world)
      yield* watch.of(world)
      yield* world.sandbox.fault({ account: azure, kind: "unavailable" })
      yield* stop(world, world.sandbox.people[0] ?? "", acmeSender)
      yield* watch.until("StoplineOptOutNotHeld", pass("30 seconds"))
    })
  },
  {
    fires: { StoplineNotRead: { account: ringcentral } },
    provoke: Effect.fnUntraced(function* (watch, pass) {
      const world = yield* makeWorld({ anyDate: true, rest: "schedule: { every: 1 second }" })
      yield* startWorker(world)
      yield* watch.of(world)
      yield* world.sandbox.fault({ account: ringcentral, kind: "unavailable" })
      // The other one is read all the time, and does not fire.
      const meanwhile = Effect.andThen(pass("25 minutes"), readAgain(world, azure))
      expect(yield* watch.until("StoplineNotRead", meanwhile)).toEqual([{ account: ringcentral }])
    })
  },
  {
    fires: { StoplineHalted: { account: azure, halt: "too-many-opt-outs" }, StoplineNoCompletedRound: {} },
    provoke: Effect.fnUntraced(function* (watch, pass) {
      const guard = "policy: { guard: { optOuts: { count: 2, share: 0 } } }"
      const world = yield* makeWorld({ anyDate: true, rest: `schedule: { every: 1 second }\n${guard}` })
      yield* startWorker(world)
      yield* watch.of(world)
      const recipients = world.sandbox.people.slice(0, 5)
      yield* world.sandbox.edit({ account: ringcentral, sender: acmeSender, action: "opt-out", recipients })
      yield* watch.until("StoplineHalted")
      yield* watch.until("StoplineNoCompletedRound", Effect.andThen(pass("4 minutes"), anotherRound(world)))
    })
  },
  {
    fires: { StoplineBlind: { account: ringcentral }, StoplineSilent: { account: ringcentral } },
    provoke: Effect.fnUntraced(function* (watch, pass) {
      const world = yield* makeWorld({ anyDate: true, rest: rarely })
      yield* startWorker(world)
      yield* watch.of(world)
      yield* world.sandbox.fault({ account: ringcentral, kind: "unavailable", operation: "subscription" })
      yield* world.sandbox.blacklist(ringcentral)
      yield* watch.until("StoplineBlind", pass("1 minute"))
      yield* watch.until("StoplineSilent", pass("1 hour"))
    })
  },
  {
    fires: { StoplineDenied: { account: azure }, StoplineDown: { job: "stopline" } },
    provoke: Effect.fnUntraced(function* (watch) {
      const made = yield* makeWorld({ rest: rarely })
      const connection = made.environment["CONTOSO_CONNECTION_STRING"] ?? ""
      const wrong = connection.replace(/accesskey=.*/, "accesskey=bm90IHRoZSBrZXk=")
      const world: World = { ...made, environment: { ...made.environment, CONTOSO_CONNECTION_STRING: wrong } }
      const worker = yield* startWorker(world)
      yield* watch.of(world)
      yield* stop(world, world.sandbox.people[0] ?? "", acmeSender)
      yield* watch.until("StoplineDenied")
      yield* worker.stop
      yield* watch.until("StoplineDown")
    })
  },
  {
    fires: { StoplineThrottled: { account: azure, limit: "opt-outs" } },
    provoke: Effect.fnUntraced(function* (watch) {
      const world = yield* makeWorld({ rest: rarely })
      yield* startWorker(world)
      yield* watch.of(world)
      yield* world.sandbox.fault({ account: azure, kind: "throttle", form: "seconds", retryAfter: 600 })
      yield* stop(world, world.sandbox.people[0] ?? "", acmeSender)
      yield* watch.until("StoplineThrottled")
    })
  },
  {
    fires: { StoplineRefused: { account: azure, kind: "long-code" } },
    provoke: Effect.fnUntraced(function* (watch) {
      const world = yield* makeWorld({ rest: rarely })
      yield* startWorker(world)
      yield* watch.of(world)
      yield* world.sandbox.fault({ account: azure, kind: "item-refused", operation: "add", sender: tenDlc })
      yield* stop(world, world.sandbox.people[0] ?? "", acmeSender)
      yield* watch.until("StoplineRefused")
    })
  },
  {
    fires: { StoplineEventsNotStored: { account: azure }, StoplineLedgerDown: {} },
    provoke: Effect.fnUntraced(function* (watch) {
      const world = yield* makeWorld({ rest: rarely })
      yield* startWorker(world)
      yield* listenToAzure(world)
      yield* watch.of(world)
      yield* world.cut
      yield* stop(world, world.sandbox.people[0] ?? "", tenDlc)
      yield* watch.until("StoplineEventsNotStored")
      yield* watch.until("StoplineLedgerDown")
    })
  },
  {
    fires: { StoplineNotAuthentic: { account: azure } },
    provoke: Effect.fnUntraced(function* (watch) {
      const world = yield* makeWorld({ rest: rarely })
      yield* startWorker(world)
      yield* listenToAzure(world)
      yield* watch.of(world)
      // The webhook's secret was changed here, and not at the provider.
      const url = `${world.url}/webhooks/${azure}?code=${secrets.CONTOSO_WEBHOOK_SECRET}-before`
      const answer = yield* Effect.promise(() => fetch(url, { method: "POST", body: "[]" }))
      expect(answer.status).toBe(401)
      yield* watch.until("StoplineNotAuthentic")
    })
  },
  {
    fires: { StoplineJobGivenUp: { queue: "backfill" } },
    provoke: Effect.fnUntraced(function* (watch) {
      const world = yield* makeWorld({ rest: rarely })
      yield* startWorker(world)
      yield* watch.of(world)
      // A job that nobody understands, and that has been tried often enough.
      yield* world.sql(
        `insert into stopline_jobs.job (name, data, retry_limit, dead_letter, policy) values ('backfill', '{}', 0, 'dead', 'exclusive')`
      )
      yield* watch.until("StoplineJobGivenUp")
    })
  }
]

const ruleNamed = (name: string) =>
  Effect.map(readRules, (rules) => rules.find(({ alert }) => alert === name) ?? expect.unreachable(name))

/** Watches one worker, and holds what fires to what has to. */
const watching = (fires: Provocation["fires"]): Watch => {
  let world: World | undefined
  const scrapes: Array<Scrape> = []
  const look = Effect.fnUntraced(function* (alert: string) {
    if (world === undefined) return []
    scrapes.push(yield* scrape(world))
    return evaluate((yield* ruleNamed(alert)).expr, scrapes)
  })
  return {
    of: (watched) => {
      world = watched
      // Nothing is wrong yet.
      const fired = Effect.forEach(Object.keys(fires), look)
      return Effect.map(fired, (found) => expect(found.flat()).toEqual([]))
    },
    until: Effect.fnUntraced(function* (alert, meanwhile = Effect.sleep("200 millis")) {
      let firing: ReadonlyArray<Labels> = []
      const fired = Effect.map(look(alert), (found) => {
        const wanted = Object.entries(fires[alert] ?? expect.unreachable(alert))
        firing = found.map(({ labels }) => labels)
        return firing.some((labels) => wanted.every(([name, value]) => labels[name] === value))
      })
      yield* eventually(
        alert,
        Effect.tap(fired, (it) => (it ? Effect.void : meanwhile)),
        Number.POSITIVE_INFINITY
      )
      return firing
    })
  }
}

const inMovableTime = <A, E, R>(test: (pass: Pass) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(movableClock, ({ clock, pass }) => Effect.provideService(test(pass), Clock.Clock, clock))

describe("an alert", () => {
  for (const { fires, provoke } of provocations) {
    it.live(`${Object.keys(fires).join(" and ")} fires`, () => inMovableTime((pass) => provoke(watching(fires), pass)))
  }

  it.live("is provoked here, each of them", () =>
    Effect.gen(function* () {
      const provoked = provocations.flatMap(({ fires }) => Object.keys(fires))
      expect((yield* readRules).map(({ alert }) => alert).toSorted()).toEqual(provoked.toSorted())
    })
  )

  it.live("says what to do, at a place of the page for operators that is there", () =>
    Effect.gen(function* () {
      const page = yield* readRoot("docs/operations.md")
      const anchors = [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
        heading
          .toLowerCase()
          .replace(/[^\p{L}\p{Nd}\- ]/gu, "")
          .replaceAll(" ", "-")
      )
      const wanted = (yield* readRules).map(({ annotations }) => annotations.runbook)
      expect(wanted.filter((link) => !anchors.some((anchor) => link === `docs/operations.md#${anchor}`))).toEqual([])
    })
  )
})

describe("a healthy worker", () => {
  it.live("fires no alert, and exposes all that the alerts and the dashboard ask for", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* startWorker(world)
      yield* listenToAzure(world)
      const first = yield* scrape(world)
      const [person = ""] = world.sandbox.people
      yield* stop(world, person, acmeSender)
      for (const sender of azureSenders) yield* eventually(`${sender} holds it`, azureHolds(world, sender, person))
      const counted = Effect.map(scrape(world), (now) =>
        now.samples.some(({ name, value }) => name === "stopline_carried_total" && value === 1) ? now : undefined
      )
      yield* eventually(
        "it is counted",
        Effect.map(counted, (now) => now !== undefined)
      )
      // The figures of the ledger are a few seconds old at most.
      const rules = yield* readRules
      const firing = Effect.map(scrape(world), (now) =>
        rules.flatMap(({ alert, expr }) => (evaluate(expr, [first, now]).length === 0 ? [] : [alert]))
      )
      yield* eventually(
        "nothing fires",
        Effect.map(firing, (alerts) => alerts.length === 0)
      )

      const { samples } = yield* scrape(world)
      const { panels } = yield* readDashboard
      expect(panels[0]?.targets[0]?.expr).toContain("stopline_oldest_unheld_optout_seconds")
      const expressions = [
        ...rules.map(({ expr }) => expr),
        ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
      ].map((expr) => expr.replaceAll("$__rate_interval", "5m").replaceAll("$account", ".*"))
      const missing = expressions.flatMap((expr) => {
        const { grouping, selectors } = usedBy(expr)
        const found = selectors.map((selector) => ({
          selector,
          samples: samples.filter((sample) => matches(selector, sample))
        }))
        const unknown = found.flatMap(({ samples, selector }) => (samples.length === 0 ? [selector.name] : []))
        const labels = new Set(found.flatMap(({ samples }) => samples.flatMap((sample) => Object.keys(sample.labels))))
        return [...unknown, ...grouping.filter((label) => !labels.has(label))]
      })
      expect(missing).toEqual([])
      expect(samples.flatMap(({ labels }) => Object.values(labels)).join(" ")).not.toMatch(/\d{7}/)
    })
  )
})

describe("the evaluator of these tests", () => {
  const at = (time: number, value: number): Scrape => ({
    at: time,
    samples: [
      { name: "x", labels: { account: "a" }, value },
      { name: "x", labels: { account: "b" }, value: 1 }
    ]
  })

  it("knows what the rules use", () => {
    const scrapes = [at(0, 5), at(60, 9), at(120, 2)]
    expect(evaluate("x > 1", scrapes)).toEqual([{ name: "x", labels: { account: "a" }, value: 2 }])
    expect(evaluate("time() - max by (account) (x) > 118", scrapes)).toEqual([{ labels: { account: "b" }, value: 119 }])
    expect(evaluate("max(x) == 2", scrapes)).toEqual([{ labels: {}, value: 2 }])
    // 5, 9, and begun anew: 2.
    expect(evaluate('increase(x{account="a"}[10m]) > 0', scrapes)).toEqual([{ labels: { account: "a" }, value: 6 }])
    expect(evaluate('increase(x{account="a"}[90s]) > 0', scrapes)).toEqual([{ labels: { account: "a" }, value: 2 }])
    expect(evaluate("increase(x[10s]) > 0", scrapes)).toEqual([])
  })

  it("refuses everything else", () => {
    const others = [
      "sum(x) > 0",
      "rate(x[5m]) > 0",
      "x > x",
      "absent(x) > 0",
      "max without (account) (x) > 0",
      "x offset 5m > 0"
    ]
    for (const expr of [...others, "x and x", 'x{account!="a"} > 0', "x >", "1", "-x > 0", "x * 2 > 0"]) {
      expect(() => evaluate(expr, [at(0, 1)]), expr).toThrow()
    }
  })
})
