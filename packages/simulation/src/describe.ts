/** A line of the event log for what happens. */
import { mask } from "@stopline/consent"
import type { Action } from "./action.ts"

export const describe = (action: Action): string => {
  switch (action.do) {
    case "text":
      return `${mask(action.person)} texts ${action.account}/${action.sender}: ${action.words}`
    case "send":
      return `${action.account}/${action.sender} texts ${mask(action.person)}`
    case "edit":
      return `somebody at ${action.account}/${action.sender} makes an ${action.to} of ${mask(action.person)}`
    case "attest":
      return `somebody attests at ${action.account}/${action.sender} that ${mask(action.person)} ${action.to}${action.ago === undefined ? "" : ` ${action.ago / 60_000} minutes ago`}${action.reach === "group" ? ", of the whole brand" : ""}`
    case "import":
      return `a file opts ${action.people.map(mask).join(", ")} out of ${action.account}/${action.sender}`
    case "forge":
      return `somebody forges a webhook about ${mask(action.person)}`
    case "fault":
      return `fault ${JSON.stringify(action.fault)}`
    default:
      return JSON.stringify(action)
  }
}
