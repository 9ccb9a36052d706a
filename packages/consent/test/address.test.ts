import { assert, describe, it } from "@effect/vitest"
import {
  isShortCode,
  isTollFree,
  mask,
  maskMistyped,
  maskWithin,
  parseRecipient,
  parseSender,
  type SenderAddress
} from "@stopline/consent"
import { Option, Schema } from "effect"

const recipient = (...given: Parameters<typeof parseRecipient>): string | undefined =>
  Option.getOrUndefined(parseRecipient(...given))
const sender = (raw: string) => Option.getOrUndefined(parseSender(raw))

describe("a recipient as it is written", () => {
  it.each([
    ["+15551230000", "+15551230000"],
    ["15551230000", "+15551230000"],
    [" +15551230000\n", "+15551230000"],
    ["+1 (555) 123-0000", "+15551230000"],
    ["+1.555.123.0000", "+15551230000"],
    ["+1.5551230000", "+15551230000"],
    ["1 (555) 123-0000", "+15551230000"],
    ["+1 555 123 0000 ext. 5", "+15551230000"],
    ["+1\u00a0555\u2011123\u20110000", "+15551230000"],
    ["\u202a+1 555 123 0000\u202c", "+15551230000"],
    ["＋１ ５５５ １２３ ００００", "+15551230000"],
    ["+١٥٥٥١٢٣٠٠٠٠", "+15551230000"],
    ["+44 (0)20 7946 0958", "+442079460958"],
    ["442079460958", "+442079460958"],
    // An Italian zero belongs to the number.
    ["+39 06 1234 5678", "+390612345678"],
    ["+4712345678", "+4712345678"],
    ["4712345678", "+4712345678"]
  ])("%j is %s", (raw, expected) => assert.strictEqual(recipient(raw), expected))

  it.each([
    ["555-123-0000", "US", "+15551230000"],
    ["(555) 123 0000", "CA", "+15551230000"],
    ["1 555 123 0000", "US", "+15551230000"],
    ["15551230000", "US", "+15551230000"],
    ["020 7946 0958", "GB", "+442079460958"],
    ["011 44 20 7946 0958", "US", "+442079460958"],
    ["0151 12345678", "DE", "+4915112345678"],
    ["+44 20 7946 0958", "US", "+442079460958"]
  ] as const)("%j in %s is %s", (raw, country, expected) => assert.strictEqual(recipient(raw, country), expected))

  it.each([
    // Nobody may have these numbers, but somebody's STOP came from there.
    ["+5215512345678", "+5215512345678"],
    ["+52 1 55 1234 5678", "+5215512345678"],
    ["5215512345678", "+5215512345678"],
    ["+999123456789", "+999123456789"],
    ["999123456789", "+999123456789"],
    ["+1234567", "+1234567"]
  ])("%j counts, whether or not a carrier knows it", (raw, expected) => assert.strictEqual(recipient(raw), expected))

  it.each([
    "",
    "   ",
    "*",
    "+",
    "CONTOSO",
    "PIZZA24",
    "1415555012X",
    "4712345678X",
    "X4915112345678",
    "call +1 555 123 0000",
    "+1 800 FLOWERS",
    "911",
    "20500",
    "+20500",
    "555-1230",
    // Ten digits that are no international number: without a country nobody knows whose they are.
    "4155550123",
    "+0015551230000",
    "+1555123000000000",
    "+1 555 123 0000 or +1 555 123 0001",
    // Floats of a spreadsheet, and groups that are no part of the number: read on, they are somebody else's.
    "4155550123.0",
    "4915112345678.0",
    "+15551230000.0",
    "+15551230000.",
    "+15551230000 0",
    "15551230000-1"
  ])("%j is none", (raw) => assert.isUndefined(recipient(raw)))

  it.each(["555-1230", "911", "55512300001", "X4155550123", "4155550123.0"])("%j in the United States is none", (raw) =>
    assert.isUndefined(recipient(raw, "US"))
  )

  const digits = Schema.String.check(Schema.isPattern(/^[1-9][0-9]{6,14}$/))

  it.prop("E.164 is taken digit by digit, with a country and without", [digits], ([number]) => {
    assert.strictEqual(recipient(`+${number}`), `+${number}`)
    assert.strictEqual(recipient(`+${number}`, "US"), `+${number}`)
  })

  it.prop("never throws, and what it makes of a text it makes of itself again", [Schema.String], ([raw]) => {
    for (const text of [raw, `+${raw}`, `+1555${raw}`]) {
      const once = recipient(text)
      if (once !== undefined) assert.strictEqual(recipient(once), once)
    }
  })
})

describe("a sender as it is written", () => {
  it.each([
    ["20500", "20500"],
    [" 20500 ", "20500"],
    ["123", "123"],
    ["12345678", "12345678"],
    ["+18005550100", "+18005550100"],
    ["18005550100", "+18005550100"],
    ["+1 (800) 555-0100", "+18005550100"]
  ])("%j is %s", (raw, expected) => assert.strictEqual(sender(raw), expected))

  it.each(["CONTOSO", "Contoso24", "A20500", "1415555012X", "PIZZA4155550123", "12", "02050", "*", ""])(
    "%j is none: nobody can reply to a name",
    (raw) => assert.isUndefined(sender(raw))
  )

  it.each([
    ["+18005550100", true, false],
    ["+18335550100", true, false],
    ["+18885550100", true, false],
    // Not handed out as toll-free codes.
    ["+18225550100", false, false],
    ["+14155550100", false, false],
    ["+448005550100", false, false],
    ["20500", false, true]
  ])("%s: toll-free %s, short code %s", (address, tollFree, shortCode) => {
    assert.strictEqual(isTollFree(address as SenderAddress), tollFree)
    assert.strictEqual(isShortCode(address as SenderAddress), shortCode)
  })
})

const digitsIn = (text: string) => text.replace(/\P{Nd}/gu, "")

describe("a mask", () => {
  it.each([
    ["+15550000123", "+1555•••0123"],
    ["15550000123", "1555•••0123"],
    ["+491511234", "+4•••34"],
    ["20500", "20500"],
    ["CONTOSO", "CO•••SO"]
  ])("%s becomes %s", (address, expected) => assert.strictEqual(mask(address), expected))

  it.each([
    ["no route to +15550000123!", "no route to +1555•••0123!"],
    ["no route to 1 (555) 000-0123", "no route to 1555•••0123"],
    ["+1/555/000/0123, +44 20 7946 0958", "+1555•••0123, +4420•••0958"],
    ["call 555-0123", "call 55•••23"],
    ["＋１５５５００００１２３", "＋1555•••0123"],
    ["short code 20500 answered 429 in 1200 ms", "short code 20500 answered 429 in 1200 ms"]
  ])("%j becomes %j", (text, expected) => assert.strictEqual(maskWithin(text), expected))

  const Separator = Schema.Literals(["", " ", "-", ".", "/", "(", ") ", "\u00a0", "\u2011", " - "])
  const Digit = Schema.Struct({
    digit: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 })),
    after: Separator
  })
  const Number = Schema.Array(Digit).check(Schema.isMinLength(9), Schema.isMaxLength(15))

  it.prop("leaves at most eight digits of a full number", [Number, Schema.Boolean], ([number, plus]) => {
    const e164 = `${plus ? "+" : ""}${number.map(({ digit }) => digit).join("")}`
    assert.isAtMost(digitsIn(mask(e164)).length, 8)
  })

  it.prop("within a text, too, however the number is written", [Number, Schema.Boolean], ([number, plus]) => {
    const written = `${plus ? "+" : ""}${number.map(({ after, digit }) => `${digit}${after}`).join("")}`
    assert.isAtMost(digitsIn(maskWithin(`to ${written} failed`)).length, 8)
    assert.isAtMost(digitsIn(maskWithin(`{"to":"${written}"}`)).length, 8)
  })
})

describe("the mask of what should have been a number", () => {
  it.each([
    ["12345678", "1•••"],
    ["", "•••"],
    ["555 0123", "5•••"],
    ["+1 (555) 123-0123x", "+1 (5•••123x"]
  ])("%j becomes %j", (text, expected) => assert.strictEqual(maskMistyped(text), expected))
})
