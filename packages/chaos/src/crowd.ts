/**
 * The load: people who text STOP, in words that providers know and in words that
 * they do not, some who take it back, and a colleague at a console. Everything is
 * drawn from the seed, and noted when it has been said.
 */
import { Clock, Effect, FiberSet, type Scope } from "effect"
import { azureSenders, ringcentral, ringcentralSenders, senders } from "./accounts.ts"
import type { Dice } from "./dice.ts"
import type { World } from "./world.ts"

const stops = ["STOP", "STOP", "Stop", "stop.", "UNSUBSCRIBE", "REVOKE", "please stop texting me"]

/** A toll-free opt-out may be the carrier's, so nobody can be sure to lift it. */
const liftable = senders.filter((sender) => sender !== azureSenders[0])

/** So long a person waits before the next word: facts that lie closer together have no order. */
const breathMs = 4_000

/** Speaks so often a second, for as long as the scope lives. */
export const crowd = Effect.fn("crowd")(function* (
  world: World,
  rate: number,
  dice: Dice
): Effect.fn.Return<void, never, Scope.Scope> {
  /** Who is about to say something: nobody says two things at once. */
  const speaking = new Set<string>()
  const voices = yield* FiberSet.make<void>()
  // What was said must be noted, so it is waited for.
  yield* Effect.addFinalizer(() => FiberSet.awaitEmpty(voices))
  for (;;) {
    const saying = draw(world, dice, yield* Clock.currentTimeMillis, speaking)
    speaking.add(saying.person)
    const said = Effect.ensuring(
      speak(world, saying),
      Effect.sync(() => speaking.delete(saying.person))
    )
    yield* FiberSet.run(voices, Effect.uninterruptible(said))
    yield* Effect.sleep(1000 / rate)
  }
})

type Saying =
  | {
      readonly _tag: "Text"
      readonly person: string
      readonly sender: string
      readonly words: string
      readonly means: "stop" | "start"
    }
  | { readonly _tag: "Edit"; readonly person: string; readonly sender: string }

const draw = ({ record }: World, dice: Dice, now: number, speaking: ReadonlySet<string>): Saying => {
  const { people } = record
  if (people.length > 0 && dice.chance(0.15)) {
    const person = dice.pick(people)
    const words = record.of(person)
    const last = words.at(-1)
    // When a colleague did something is known to the provider alone, so what the person says next may be older.
    const certain = !speaking.has(person) && !words.some((one) => one.byColleague)
    if (last !== undefined && certain && now - last.at > breathMs) {
      return last.means === "stop"
        ? { _tag: "Text", person, sender: dice.pick(liftable), words: "START", means: "start" }
        : { _tag: "Text", person, sender: dice.pick(senders), words: "STOP", means: "stop" }
    }
  }
  const person = record.nextPerson()
  return dice.chance(0.08)
    ? { _tag: "Edit", person, sender: dice.pick(ringcentralSenders) }
    : { _tag: "Text", person, sender: dice.pick(senders), words: dice.pick(stops), means: "stop" }
}

const speak = Effect.fnUntraced(function* ({ control, record }: World, saying: Saying) {
  const { person, sender } = saying
  const before = yield* Clock.currentTimeMillis
  if (saying._tag === "Edit") {
    yield* control.edit(ringcentral, sender, person)
    const at = yield* Clock.currentTimeMillis
    return record.note({ person, sender, means: "stop", byColleague: true, at })
  }
  const { means, words } = saying
  // A START may be acted on before we hear that it arrived.
  if (means === "start") record.note({ person, sender, means, byColleague: false, at: before })
  yield* control.text(person, sender, words)
  const at = yield* Clock.currentTimeMillis
  if (means === "stop") record.note({ person, sender, means, byColleague: false, at })
})
