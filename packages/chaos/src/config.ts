/** What a worker of this world is told: its stopline.yaml, and the environment which that names. */
import { azure, azureSenders, ringcentral, ringcentralSenders } from "./accounts.ts"
import type { Account } from "./control.ts"

export const azureSecret = "4f1a-made-up-for-chaos-only"

export interface Places {
  readonly azureUrl: string
  readonly ringcentralUrl: string
  readonly databaseUrl: string
  readonly port: number
  /** How the providers reach it. Absent: they do not. */
  readonly publicUrl?: string
}

/** Quicker than a person would have it, so that a trial need not last an hour. */
export const hurried = "{ every: 2 seconds, listen: 5 seconds, sweepPerHour: 100000000 }"
/** Rounds as they are if nothing is said; subscriptions are looked at more often, so that a short soak sees a few looks. */
export const unhurried = "{ every: 1 minute, listen: 1 minute }"

export const configText = (
  { port, publicUrl, ringcentralUrl }: Places,
  schedule: string
): string => `ledger: { url: { env: LEDGER_URL } }
accounts:
  - name: ${azure}
    vendor: azure
    connectionString: { env: AZURE_CONNECTION_STRING }
    senders: ${JSON.stringify(azureSenders)}
    limits: { requests: 60000, penalty: 1 seconds }
    timeout: 5 seconds
    settle: 1 millis
    webhook: { secret: { env: AZURE_WEBHOOK_SECRET } }
  - name: ${ringcentral}
    vendor: ringcentral
    server: ${ringcentralUrl}
    clientId: { env: RC_CLIENT_ID }
    clientSecret: { env: RC_CLIENT_SECRET }
    jwt: { env: RC_JWT }
    senders: ${JSON.stringify(ringcentralSenders)}
    limits: { requests: 60000, penalty: 1 seconds }
    timeout: 5 seconds
    settle: 1 millis
    webhook: { verificationToken: { env: RC_WEBHOOK_TOKEN } }
policy: { optIn: strict, confirm: 5 seconds }
http: { port: ${port}${publicUrl === undefined ? "" : `, publicUrl: ${JSON.stringify(publicUrl)}`} }
schedule: ${schedule}
`

export const environmentOf = (accounts: ReadonlyArray<Account>, places: Places): Readonly<Record<string, string>> => {
  const of = (account: string) => accounts.find(({ name }) => name === account)?.credentials ?? {}
  const theirs = of(ringcentral)
  return {
    LEDGER_URL: places.databaseUrl,
    AZURE_CONNECTION_STRING: `endpoint=${places.azureUrl}/;accesskey=${of(azure)["accessKey"]}`,
    AZURE_WEBHOOK_SECRET: azureSecret,
    RC_CLIENT_ID: theirs["clientId"] ?? "",
    RC_CLIENT_SECRET: theirs["clientSecret"] ?? "",
    RC_JWT: theirs["jwt"] ?? "",
    RC_WEBHOOK_TOKEN: "9c2b-made-up-for-chaos-only"
  }
}
