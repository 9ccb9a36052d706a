/** A Twilio account beside the two that every world has. */
import type { SandboxAccount } from "@stopline/sandbox"
import type { ThirdAccount } from "./world.ts"

export const twilio = "fabrikam"
export const twilioSenders = ["+14255550188", "+14255550189"]

const describeTwilio = (account: SandboxAccount): ReturnType<ThirdAccount["describe"]> => {
  if (account.vendor !== "twilio") throw new Error(`${account.name} is no Twilio account`)
  const { accountSid, apiKey, apiKeySecret, authToken, messagingService } = account.credentials
  return {
    lines: `  - name: ${twilio}
    vendor: twilio
    accountSid: ${accountSid}
    apiKey: ${apiKey}
    apiKeySecret: { env: FABRIKAM_API_KEY_SECRET }
    senders: ${JSON.stringify(twilioSenders)}
    accountsUrl: ${account.url}
    apiUrl: ${account.url}
    ${messagingService === undefined ? "" : `messagingService: ${messagingService}`}
    webhook: { authToken: { env: FABRIKAM_AUTH_TOKEN } }`,
    environment: { FABRIKAM_API_KEY_SECRET: apiKeySecret, FABRIKAM_AUTH_TOKEN: authToken }
  }
}

export const twilioAccount = (messagingService: boolean): ThirdAccount => ({
  account: { vendor: "twilio", name: twilio, senders: twilioSenders, messagingService },
  describe: describeTwilio
})
