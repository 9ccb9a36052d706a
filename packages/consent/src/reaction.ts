/**
 * Reactions of phones. Where the other side cannot show a thumb, it arrives as a
 * text that quotes what it belongs to: `Liked “Reply STOP to opt out”`. Those
 * words are ours, and nobody said them to us.
 */
const did = String.raw`(?:Liked|Disliked|Loved|Laughed at|Emphasi[sz]ed|Questioned|Removed an? [^“"]{1,40} from)`
const sent = String.raw`(?:Reacted )?[^\p{L}\p{N}]{1,20} to`

/** Nothing may stand behind the quotation: there somebody speaks for themselves. */
const reaction = new RegExp(String.raw`^[\s\p{Cf}]*(?:${did}|${sent})[\s\p{Cf}]+(?:“[^”]*”|"[^"]*")[\s\p{Cf}]*$`, "u")

export const isReaction = (text: string): boolean => reaction.test(text)
