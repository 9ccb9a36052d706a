import { assert, describe, it } from "@effect/vitest"
import { hear, isVerbatim, type KeywordSet, normalise, type RuleSet, unitedStates } from "@stopline/consent"
import { Schema } from "effect"

const rule = unitedStates[0]!
/** A provider that knows fewer words than the law, and one more in either direction. */
const words: KeywordSet = { optOut: ["STOP", "ARRET"], optIn: ["START", "UNSTOP", "CONTINUE"] }
const silent: KeywordSet = { optOut: [], optIn: [] }
const noRule: RuleSet = { id: "none", from: 0, optOutWords: new Set(), source: "" }

const said = (text: string) => hear(text, words, rule)

describe("an opt-out keyword", () => {
  it.each([
    ["STOP", "STOP"],
    ["stop", "STOP"],
    ["Stop.", "STOP"],
    ["  stop \n", "STOP"],
    ['"STOP"', "STOP"],
    ["Stop!! 🛑", "STOP"],
    ["STOP ⛔️", "STOP"],
    ["stop :(", "STOP"],
    ["s.t.o.p", "STOP"],
    ["S T O P", "STOP"],
    ["ＳＴＯＰ", "STOP"],
    ["S̲T̲O̲P̲", "STOP"],
    ["ST\u200bOP", "STOP"],
    ["\u202aSTOP\u202c", "STOP"],
    ["StopAll", "STOPALL"],
    ["stop all", "STOP ALL"],
    ["Opt-out", "OPT OUT"],
    ["opt\u00a0out", "OPT OUT"],
    ["Opt—Out.", "OPT OUT"],
    ["optout", "OPTOUT"],
    ["Revoke", "REVOKE"],
    ["quit", "QUIT"],
    ["End.", "END"],
    ["Cancel", "CANCEL"],
    ["UNSUBSCRIBE", "UNSUBSCRIBE"],
    // Not the law's word, but this provider's, with the accent that a phone adds.
    ["Arrêt", "ARRET"]
  ])("%j is %s", (text, keyword) =>
    assert.deepStrictEqual(said(text), { state: "opted-out", tier: "keyword", keyword, reach: "group" })
  )

  it("counts by the law where the provider does not know it", () => {
    assert.strictEqual(hear("END", silent, rule)?.state, "opted-out")
    assert.isUndefined(hear("END", silent, noRule))
  })

  it("counts at the provider that acts on it, where the law does not name it", () =>
    assert.isUndefined(hear("ARRET", silent, rule)))

  it("wins over an opt-in word, should a word be both (L4)", () =>
    assert.strictEqual(hear("stop", { optOut: [], optIn: ["STOP"] }, rule)?.state, "opted-out"))
})

describe("an opt-in keyword", () => {
  it.each([
    ["START", "START", "group"],
    ["start!", "START", "group"],
    ["Start.", "START", "group"],
    ["START!!!", "START", "group"],
    ['"START"', "START", "group"],
    ["“Start!”", "START", "group"],
    ["\u202aSTART\u202c \n", "START", "group"],
    ["ＳＴＡＲＴ！", "START", "group"],
    ["Unstop", "UNSTOP", "group"],
    // An ordinary reply anywhere else, so it reaches nobody but the sender it was said to.
    ["Continue", "CONTINUE", "pair"]
  ])("%j is %s and reaches the %s", (text, keyword, reach) =>
    assert.deepStrictEqual(said(text), { state: "opted-in", tier: "keyword", keyword, reach })
  )

  it("of one provider is nothing at another (L3)", () => {
    for (const text of ["YES", "CONTINUE", "RESUME", "GO", "SUBSCRIBE"]) {
      assert.isUndefined(hear(text, { optOut: ["STOP"], optIn: ["START"] }, rule), text)
      assert.strictEqual(hear(text, { optOut: ["STOP"], optIn: [text] }, rule)?.reach, "pair")
    }
  })

  it.each(["start please", "please start", "START texting me again", "yes start", "I want to start", "restart"])(
    "%j is none: nobody is opted in by a guess (L3)",
    (text) => assert.isUndefined(said(text))
  )

  it.each([
    "Start?",
    "start?!",
    "START…",
    "START...",
    "🚫 START",
    "START 🙄",
    "START :)",
    "# START",
    "s t a r t",
    "s.t.a.r.t",
    "STÁRT",
    "STAR’T",
    "un-stop",
    "Unstop?",
    "Yes?",
    "Yes 🙄",
    "Yes...",
    "Yes-",
    "¿Yes?",
    "Résumé",
    "Continue?",
    "Subscribe?",
    "subscribe 😂"
  ])("%j is none: a doubt or a decoration is no consent (L3)", (text) =>
    assert.isUndefined(hear(text, { optOut: ["STOP"], optIn: [...words.optIn, "YES", "RESUME", "SUBSCRIBE"] }, rule))
  )

  it("may be of several words, and of another script", () => {
    const foreign: KeywordSet = { optOut: [], optIn: ["OPT IN", "시작"] }
    assert.strictEqual(hear("opt\u00a0 in", foreign, rule)?.keyword, "OPT IN")
    assert.strictEqual(hear("시작!".normalize("NFD"), foreign, rule)?.keyword, "시작")
    assert.isUndefined(hear("opt-in", foreign, rule))
  })
})

describe("a phrase", () => {
  it.each([
    "please stop texting me",
    "Please stop",
    "please, stop",
    "Stop please",
    "stop, thanks",
    "STOP STOP STOP",
    "stoppp",
    "ok stop it",
    "Stop this",
    "I said stop",
    "I want this to stop",
    "STOP - John",
    "Stop. Who is this?",
    "Stop!I don't know you",
    "Stop.Who is this",
    "stop,who is this",
    "Stop…who is this",
    "Who is this?stop",
    "STOP:wrong person",
    "STOP;I mean it",
    "STOP (wrong person)",
    "(stop)I don't know you",
    "Did I not ask you to stop texting me?",
    "Have I not asked you to stop texting me",
    "Can I not opt out of this?",
    "STOP\n\nSent from my phone",
    "STOP\u2028Sent from my phone",
    "STOP to end",
    "STOP2END",
    "STOP/END",
    "Un-subscribe",
    "UN SUBSCRIBE",
    "Wrong number STOP",
    "Stop wrong number",
    "Not interested stop",
    "STOP I am not interested",
    "Stop immediately",
    "I told you to stop",
    "I asked you to stop!",
    "stop the spam",
    "Stop sending me messages",
    "stop harassing me",
    "wish you'd stop texting me",
    "you never stop texting me",
    "why don't you stop texting me",
    "You did not stop texting me",
    "You will not stop texting me",
    "They do not stop texting me",
    "If you do not stop texting me I will sue",
    // The no belongs to the sentence before.
    "No I don't. Stop texting me!",
    "I don’t want to, stop messaging me",
    "don't stop? STOP TEXTING ME",
    "quit texting me",
    "end these messages",
    "cancel my text alerts",
    "Please cancel",
    "cancel please",
    "Remove",
    "Please remove me from your list",
    "stop texting this number",
    "take me off the list",
    "Please take this number off",
    "get me off this list",
    "I want off your texting list",
    "I can't get off this list",
    "why don't you take me off the list",
    "you did not take me off your list",
    "lose my number",
    "delete my phone number",
    "leave me alone",
    "please opt me out",
    "How do I opt out of this",
    "opting out",
    "UNSUB",
    "I want to unsubscribe",
    "unsubscribe me pls",
    "Don't text me",
    "Don’t text me",
    "don´t text me anymore",
    "please dont text me. wrong person",
    "do not contact me again",
    "don't send me any more texts",
    "I don't want your texts",
    "I don't want to receive these texts",
    "I don't want you to text me anymore",
    "I do not want you to contact me",
    "I dont want anymore texts",
    "I no longer wish to receive text messages",
    "I do not wish to be contacted",
    "no more",
    "No more texts please",
    "CEASE AND DESIST",
    "I revoke my consent"
  ])("%j is a wish to hear no more", (text) => {
    const heard = said(text)
    assert.deepStrictEqual([heard?.state, heard?.tier, heard?.reach], ["opted-out", "phrase", "group"])
    // What is kept are the words of the phrase, never the message.
    assert.include(normalise(text), heard!.keyword)
  })

  it.each([
    "",
    "   ",
    "🛑",
    "ok",
    "yes",
    "no",
    "HELP",
    "what time do you close?",
    "don't stop",
    "Don’t stop",
    "don´t stop",
    "please don't stop texting me",
    "never stop texting me",
    "I hope you never stop texting me",
    "I hope you do not stop texting me",
    "Don't you dare stop texting me",
    "Please don't take me off the list",
    "I don't want you to take me off the list",
    "I dont want to get off the list",
    "I can't stop laughing",
    "I can't unsubscribe you",
    "I don't want to unsubscribe",
    "I didn't mean to opt out",
    "I never asked to unsubscribe",
    "I never told you to stop",
    "I did not ask you to stop texting me",
    "I have not asked you to stop texting me",
    "We do not wish to unsubscribe",
    "see www.stop.com",
    "https://stop.com/5",
    "stop.by later",
    "I'll stop by at 5:30",
    "the 5:30 stop (on 5th)",
    "Next stop:5th",
    "p.s.I can't stop laughing",
    "He asked you to stop at the desk",
    "I did not opt out",
    "Why was I unsubscribed?",
    "don't want to lose my number",
    "bus stop on 5th",
    "does the bus stop now",
    "where is the next stop",
    "let me off at the stop please",
    "I am at the end text me",
    "I'll meet you at the stop",
    "please stop by the store",
    "Just stop by at 5",
    "non-stop messages from my mom",
    "unstoppable",
    "stopwatch",
    "the end of the road",
    "I'll be there at the end. Message me",
    "The weekend messages were great",
    "when does this end",
    "please end the call",
    "quit my job",
    "I quit my job",
    "Please cancel my appointment",
    "can you cancel my order",
    "Remove the onions",
    "you never call me",
    "I dont text and drive",
    "don't send the driver yet",
    "I don't want any pickles"
  ])("%j is not", (text) => assert.isUndefined(said(text)))
})

it("a word that is spelled out stays whole in a sentence of its own", () =>
  assert.strictEqual(said("Who is this? s.t.o.p")?.keyword, "STOP"))

describe("a reaction of a phone", () => {
  it.each([
    "Liked “Acme: 20% off! Reply STOP to opt out”",
    'Disliked "Please stop texting me"',
    "Loved “Sale today.\nReply STOP to unsubscribe.”",
    "Laughed at “Reply STOP to stop texts”",
    "Emphasized “STOP”",
    "Questioned “Text STOP to unsubscribe”",
    "Removed a heart from “Text STOP to unsubscribe”",
    "Reacted 👍 to “Text STOP to unsubscribe”",
    "👍🏽 to “Text STOP to unsubscribe”",
    "\u200b👍\u200b to “\u200aReply STOP to unsubscribe\u200a” "
  ])("%j quotes us, and says nothing (L3)", (text) => assert.isUndefined(said(text)))

  it.each([
    "Liked “Acme: 20% off!” but please stop texting me",
    "I liked it. Stop texting me",
    "Liked “one” stop texting me “two”",
    "Reply “STOP to opt out”? Then unsubscribe me",
    "👎 to STOP texting me"
  ])("%j is none (L1)", (text) => assert.strictEqual(said(text)?.state, "opted-out"))
})

/** Whatever a keyboard can do: marks, joiners, scripts, halves of pairs. */
const Text = Schema.Array(
  Schema.Union([
    Schema.String,
    Schema.Literals([
      "s",
      "t",
      "o",
      "p",
      "STOP",
      "don",
      "'",
      "´",
      "ʼ",
      "ŉ",
      "ß",
      "ΐ",
      "ᾳ",
      "ı",
      "İ",
      "ﬁ",
      "½",
      "Å",
      "ê"
    ]),
    Schema.Literals([" ", "\n", ". ", "-", "🛑", "\ufe0f", "\u200b", "\u200d", "\u0301", "\u0345", "\u0308", "\ud83d"]),
    Schema.Literals(["\u1100", "\u1161", "\u11a8", "가", "が", "か", "\u3099", "हि", "Ａ", "ǰ", "ẞ", "ⅷ", "ⓢ", "𝐒"])
  ])
).check(Schema.isMaxLength(12))

describe("normalising", () => {
  it.prop(
    "twice is normalising once",
    [Text],
    ([parts]) => {
      const once = normalise(parts.join(""))
      assert.strictEqual(normalise(once), once)
    },
    { arbitrary: { runs: 2000 } }
  )

  it.prop("leaves words of letters and digits, one space apart", [Text], ([parts]) =>
    assert.match(normalise(parts.join("")), /^(?:[\p{L}\p{N}]+(?: [\p{L}\p{N}]+)*)?$/u)
  )

  it.prop("never makes hearing throw, and an empty message says nothing", [Text], ([parts]) => {
    const text = parts.join("")
    const heard = said(text)
    if (normalise(text) === "") assert.isUndefined(heard)
  })

  it("leaves no trace of how a letter was put together", () => {
    assert.strictEqual(normalise("중지!".normalize("NFD")), "중지")
    assert.strictEqual(normalise("arre\u0302t"), normalise("arr\u00eat"))
  })

  it("turns every word of a rule into itself: what is compared is normalised", () => {
    for (const word of rule.optOutWords) assert.strictEqual(normalise(word), word)
  })
})

describe("a keyword that stands alone", () => {
  it.each([
    ["START", true],
    [" start\n", true],
    ["Start.", false],
    ['"START"', false],
    ["ＳＴＡＲＴ", false]
  ])("%j: %s", (text, expected) => {
    const heard = said(text)
    assert.strictEqual(heard?.keyword, "START")
    assert.strictEqual(heard !== undefined && isVerbatim(text, heard), expected)
  })
})
