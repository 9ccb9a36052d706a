/**
 * What a reasonable person takes for a wish to hear no more, though it is no
 * keyword (47 CFR 64.1200(a)(10)). English, and data more than code: a phrase too
 * many silences somebody who can text START, a phrase too few loses a STOP.
 *
 * All of it is matched against one clause at a time, normalised.
 */

const number = "(?:MY|THIS|THE) (?:PHONE |CELL |MOBILE )?NUMBER"

const auxiliary =
  "(?:DO NOT|DONT|DOES NOT|DOESNT|DID NOT|DIDNT|NEVER|WONT|WILL NOT|CANT|CANNOT|CAN NOT|COULDNT|SHOULDNT)"
/** "Did I not ask you to stop" asks, and denies nothing. */
const asked = "(?:DID|DO|HAVE|HAD|CAN|COULD) (?:I|WE)"
const no = String.raw`(?:${auxiliary}|(?<!\b(?:DO|DOES|DID|WILL|CAN|${asked}) )NOT|NON)`
const toWant = "(?:WANT|WISH|MEAN|NEED|TRY|TRYING|GOING|ASK|ASKED|ASKING)(?: (?:YOU|ME|US))?(?: TO)?"
/** "You never stop texting me" is a wish, and "I hope you never stop texting me" is none. */
const someoneElse = String.raw`(?<!\bHOPE )\b(?:YOU|GUYS|PEOPLE|THEY|IT)`

/** Said before a phrase, it is no wish: "don't stop", "didn't mean to unsubscribe", "don't take me" before "off the list". */
const negated = new RegExp(
  [
    `(?<!${someoneElse} )\\b${no}(?: EVER)?(?: ${toWant}| YOU DARE)? $`,
    `\\b(?:DO NOT|DONT|NEVER) (?:${toWant} (?:TAKE|GET)|TAKE)(?: (?:ME|US|MY NAME|${number}))? $`
  ].join("|"),
  "u"
)

/** A stop is also a place and an end also a part: "the bus stop", "at the end". */
const asVerb = String.raw`(?<!\b(?:A|THE|MY|YOUR|OUR|NEXT|LAST|FIRST|BUS|TRAIN|TRUCK|REST|PIT|FULL) )\b`
const please = "(?:PLEASE|PLS|PLZ)"
const these = "(?:(?:ALL OF|ALL|ANY|ANYMORE|MORE|THE|THESE|THIS|THOSE|YOUR|MY|ME|US|SENDING|GETTING|RECEIVING|WITH) )*"
const texts = "(?:TEXTS?|TXTS?|TEXTING|TXTING|MESSAGES?|MESSAGING|MSGS?|SMS|ALERTS?|NOTIFICATIONS?|SPAM|SPAMMING)\\b"
const toMe = "(?:TEXT|TXT|MESSAGE|MSG|CONTACT|CALL|BOTHER)"
/** A stop at a place: please stop by, please stop at the desk, please stop my order. */
const somewhere = "(?! (?:BY|AT|IN|ON|OVER|OFF|FOR|HERE|THERE|NEAR|OUTSIDE|THE|MY)\\b)"
const noInterest = "(?:WRONG NUMBER|(?:I AM |IM )?NOT INTERESTED)"
const noWish = "(?:DONT|DO NOT|NO LONGER)(?: EVER)? (?:WANT|WISH|NEED|LIKE|CARE)"

const phrases: ReadonlyArray<RegExp> = [
  // The whole clause is the word: "I said no. Stop!", "STOP, thanks".
  `^(?:${please} )?(?:STO+P+|STOP ALL|STOPALL|OPTOUT|UNSUBSCRIBE|UNSUB|REVOKE)(?: ${please}| THANKS| THANK YOU| IMMEDIATELY)?$`,
  // As we print it ourselves: "STOP to end", "STOP2END".
  `^STOP ?(?:TO|2)? ?(?:END|QUIT|CANCEL)$`,
  `^(?:STOP ${noInterest}|${noInterest} STOP)$`,
  // These are also said of an appointment, and only a please makes them a word to us.
  `^${please} (?:CANCEL|QUIT|END|REMOVE)(?: THANKS| THANK YOU)?$`,
  `^(?:CANCEL|QUIT|END|REMOVE) ${please}$`,
  `^REMOVE$`,
  `${asVerb}(?:STOP|END|CANCEL|QUIT|DISCONTINUE) ${these}${texts}`,
  `${asVerb}(?:STOP|QUIT) (?:SENDING|CONTACTING|BOTHERING|HARASSING|CALLING)\\b`,
  `${asVerb}STOP (?:IT|NOW|ALREADY|${please}|STOP)\\b`,
  `^STOP (?:THIS|THAT|THESE|ALL)\\b`,
  `\\b(?:${please}|JUST) STOP\\b${somewhere}`,
  `\\b(?:TOLD|TELLING|ASKED|ASKING) YOU TO STOP\\b${somewhere}`,
  `\\b(?:SAID|SAY|SAYING|TEXTED|REPLIED|TYPED|SENT|WROTE) STOP\\b`,
  `\\b(?:WANT|NEED|LIKE) (?:IT|THIS|THESE|THEM|YOU) TO STOP\\b`,
  `\\bOPT(?:ING)? (?:ME |US )?OUT\\b`,
  `\\bOPTOUT\\b`,
  `\\bUN ?SUBSCRIBE\\b(?! (?:YOU|THEM|HIM|HER)\\b)`,
  `\\bUNSUB\\b`,
  `\\bREMOVE (?:ME|US|MY NAME|${number})\\b`,
  `\\b(?:TAKE|GET) (?:ME|US|MY NAME|${number}) OFF\\b`,
  `\\bOFF (?:OF )?(?:THIS|THE|YOUR) (?:TEXT |TEXTING |MAILING |CONTACT |PHONE |SMS )?LIST\\b`,
  `\\b(?:DELETE|ERASE|LOSE|FORGET) ${number}\\b`,
  `\\bLEAVE ME ALONE\\b`,
  // Not: you never call me, I don't text and drive.
  `(?<!\\b(?:I|YOU|WE|THEY) )\\b(?:DONT|DO NOT|NEVER)(?: EVER)? ${toMe}(?: (?:ME|US|HERE|AGAIN|ANYMORE|ANY MORE|${please}|${number})\\b|$)`,
  `(?<!\\b(?:I|YOU|WE|THEY) )\\b(?:DONT|DO NOT|NEVER)(?: EVER)? SEND (?:(?:ME |US )?(?:ANYTHING|ANYMORE|ANY MORE|AGAIN)\\b|${these}${texts})`,
  `\\b${noWish} YOU TO ${toMe} (?:ME|US)\\b`,
  `\\b${noWish} TO (?:BE (?:CONTACTED|TEXTED|MESSAGED|BOTHERED)|HEAR FROM)\\b`,
  `\\b${noWish} (?:TO )?(?:(?:GET|RECEIVE|GETTING|RECEIVING) )?${these}${texts}`,
  `\\b${noWish} TO (?:GET|RECEIVE) (?:THIS|THESE|THEM|ANYMORE|ANY MORE)\\b`,
  `\\bNO MORE ${texts}`,
  `^NO MORE(?: ${please})?$`,
  `\\bCEASE AND DESIST\\b`,
  `\\b(?:REVOKE|WITHDRAW) (?:MY )?CONSENT\\b`
].map((source) => new RegExp(source, "gu"))

/** The first phrase in the clause that is a wish to hear no more. */
export const optOutPhrase = (clause: string): string | undefined => {
  for (const phrase of phrases) {
    for (const match of clause.matchAll(phrase)) {
      if (!negated.test(clause.slice(0, match.index))) return match[0]
    }
  }
  return undefined
}
