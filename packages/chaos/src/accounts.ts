/** Who texts in this world: two providers, and one brand over all of their senders. */
export const azure = "contoso"
export const ringcentral = "acme"
export const azureSenders = ["+18005550100", "+14255550123", "20500"]
export const ringcentralSenders = ["+16505550100", "+16505550101"]
export const senders = [...azureSenders, ...ringcentralSenders]

/** The digits that every made-up person of this world begins with. */
const prefix = "15552"

export const personOf = (number: number): string => `+${prefix}${String(number).padStart(6, "0")}`

/** Finds a number of somebody in full, wherever it stands. */
export const anyPerson = new RegExp(`${prefix}\\d{6}`)
