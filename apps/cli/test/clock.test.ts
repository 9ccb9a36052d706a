/** What is dated by this machine's clock alone. */
import { assert, layer } from "@effect/vitest"
import { AccountName, Recipient, SenderAddress } from "@stopline/consent"
import type { Attestation } from "@stopline/engine"
import { Clock, Effect } from "effect"
import { ledgerForTest } from "../../../test/database.ts"
import { needSoundClock } from "../src/clock.ts"

const said: Attestation = {
  account: AccountName.make("acme"),
  sender: SenderAddress.make("+14255550101"),
  recipient: Recipient.make("+15550000001"),
  state: "opted-in",
  reach: "pair",
  by: "Jane Doe",
  how: "phone call"
}

/** As it is told by a machine whose clock is off by so much. */
const problemBy = (ms: number, given: Attestation = said) =>
  Effect.flatMap(Clock.Clock, (real) => {
    const now = () => real.currentTimeMillisUnsafe() + ms
    const clock: Clock.Clock = Object.assign(Object.create(real), {
      currentTimeMillisUnsafe: now,
      currentTimeMillis: Effect.sync(now)
    })
    return needSoundClock(given).pipe(
      Effect.provideService(Clock.Clock, clock),
      Effect.match({ onFailure: (error) => error.message, onSuccess: () => "" })
    )
  })

layer(ledgerForTest, { excludeTestServices: true })("an opt-in of just now", (it) => {
  it.effect("is not taken from a clock that is ahead: it would outlast a STOP of meanwhile (L3)", () =>
    Effect.gen(function* () {
      assert.match(yield* problemBy(90_000), /clock is (89|90) s ahead of the database's: .*--at/u)
      for (const ms of [0, -90_000]) assert.strictEqual(yield* problemBy(ms), "")
      const time = { notBefore: 1_000, notAfter: 1_000 }
      assert.strictEqual(yield* problemBy(90_000, { ...said, time }), "")
    })
  )
})

layer(ledgerForTest, { excludeTestServices: true })("an opt-out of just now", (it) => {
  it.effect("is not taken from a clock that is behind: a START of before would outlast it (L1)", () =>
    Effect.gen(function* () {
      const stop: Attestation = { ...said, state: "opted-out" }
      assert.match(yield* problemBy(-90_000, stop), /clock is (90|91) s behind the database's: set it$/u)
      for (const ms of [0, 90_000]) assert.strictEqual(yield* problemBy(ms, stop), "")
    })
  )
})
