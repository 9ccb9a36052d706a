/** What a worker reaches outside by, the ledger and the adapters: one turn at a time, and with the ledger's faults. */
import { Connection, LedgerError } from "@stopline/ledger"
import { can, type Capability, NextTurn, type Operation, type ProviderAdapter } from "@stopline/provider"
import { Context, Effect, Predicate } from "effect"
import { makeChance } from "./chance.ts"
import type { Penalties } from "./penalties.ts"
import type { Actor, Conductor } from "./time.ts"
import type { Universe } from "./universe.ts"

/** A fault of the ledger, armed for one worker. */
export interface LedgerFault {
  when: "before" | "after" | "conflict"
  left: number
}

const InTurn = Context.Reference<boolean>("@stopline/simulation/InTurn", { defaultValue: () => false })

const lostConnection = () =>
  new LedgerError({ kind: "unreachable", operation: "simulation", detail: "the connection was lost" })

const conflict = () =>
  new LedgerError({ kind: "conflict", operation: "simulation", detail: "could not serialize access" })

/** A statement that found nothing to change has committed nothing. */
const foundNothing = (value: unknown): boolean =>
  Predicate.hasProperty(value, "rows") && Array.isArray(value.rows) && value.rows.length === 0

/** The ledger, one turn at a time, with its faults. */
export const conducted = (
  base: Connection["Service"],
  conductor: Conductor,
  actor: Actor,
  fault: LedgerFault,
  committed: (operation: string) => Effect.Effect<void>,
  penalties: Penalties
): Connection["Service"] => {
  const take = (when: LedgerFault["when"]) => {
    if (fault.left === 0 || fault.when !== when) return false
    fault.left -= 1
    return true
  }
  const turn = <A, E, R>(label: string, self: Effect.Effect<A, E, R>): Effect.Effect<A, E | LedgerError, R> =>
    Effect.flatMap(InTurn, (inside): Effect.Effect<A, E | LedgerError, R> => {
      if (inside) return self
      const whole = Effect.suspend((): Effect.Effect<A, E | LedgerError, R> => {
        if (take("before")) return Effect.fail(lostConnection())
        return self.pipe(
          Effect.tap((value) =>
            Effect.andThen(penalties.ledger(label), foundNothing(value) ? Effect.void : committed(label))
          ),
          Effect.flatMap((value) => (take("after") ? Effect.fail(lostConnection()) : Effect.succeed(value)))
        )
      })
      return conductor.turn(actor, `ledger: ${label}`, Effect.provideService(whole, InTurn, true))
    })
  return {
    session: base.session,
    freed: base.freed,
    certain: base.certain,
    wrote: base.wrote,
    // As many connections as a worker has: how many there really are is nothing that it could notice.
    use: Effect.map(base.use, (use) => ({ ...use, most: 10 })),
    query: (operation, run) => turn(operation, base.query(operation, run)),
    transaction: (operation, self) =>
      turn(
        operation,
        base.transaction(
          operation,
          Effect.flatMap(self, (value) => (take("conflict") ? Effect.fail(conflict()) : Effect.succeed(value)))
        )
      )
  }
}

/** An adapter whose every request is a turn. */
export const conductedAdapter = (
  adapter: ProviderAdapter,
  conductor: Conductor,
  actor: Actor,
  { answerMs, askSize, batchSize, pageSize, seed, turnMs }: Universe,
  penalties: Penalties
): ProviderAdapter => {
  const chance = makeChance(seed, `answers to ${actor.name} by ${adapter.account}`)
  // Where turns take time, answers are under way for some, and others go on meanwhile.
  const underway = Effect.suspend(() =>
    Effect.sleep(answerMs ?? (turnMs > 0 && chance.once(2) ? chance.below(500) : 0))
  )
  const turn = <A, E, R>(operation: Operation, self: Effect.Effect<A, E, R>) =>
    Effect.flatMap(NextTurn, (next) =>
      conductor.turns(actor, `${adapter.account}: ${operation}`, (pause) =>
        Effect.provideService(penalties.request(adapter, operation, self), NextTurn, pause(next))
      )
    ).pipe(Effect.tap(() => underway))
  const map = <Port>(capability: Capability<Port>, wrap: (port: Port) => Port): Capability<Port> =>
    capability._tag === "Can" ? can(wrap(capability.port)) : capability
  return {
    ...adapter,
    list: map(adapter.list, (port) => ({
      ...port,
      maxPage: Math.min(port.maxPage, pageSize),
      page: (request) => turn("list", port.page(request))
    })),
    check: map(adapter.check, (port) => ({
      ...port,
      maxRecipients: Math.min(port.maxRecipients, askSize),
      check: (sender, people) => turn("check", port.check(sender, people))
    })),
    write: {
      optOut: map(adapter.write.optOut, (port) => ({
        ...port,
        maxRecipients: Math.min(port.maxRecipients, batchSize),
        write: (sender, people) => turn("optOut", port.write(sender, people))
      })),
      optIn: map(adapter.write.optIn, (port) => ({
        ...port,
        maxRecipients: Math.min(port.maxRecipients, batchSize),
        write: (sender, people) => turn("optIn", port.write(sender, people))
      }))
    },
    evidence: map(adapter.evidence, (port) => ({
      since: (sender, recipient, since) => turn("evidence", port.since(sender, recipient, since))
    })),
    subscription: map(adapter.subscription, (port) => ({
      ensure: (url) => turn("subscribe", port.ensure(url)),
      missed: (span, cursor) => turn("subscribe", port.missed(span, cursor))
    }))
  }
}
