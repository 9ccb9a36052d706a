/** A configuration that uses most of what there is. */
export const good = `ledger: { url: { env: LEDGER_URL } }
accounts:
  - name: contoso
    vendor: azure
    connectionString: { env: CONTOSO_CONNECTION_STRING }
    senders: ["+18005550100", "20500"]
    webhook: { secret: { env: CONTOSO_WEBHOOK_SECRET } }
    settle: 5 seconds
  - name: acme
    vendor: ringcentral
    limits: { requests: 100, window: 1 minute }
    clientId: { env: ACME_CLIENT_ID }
    clientSecret: { env: ACME_CLIENT_SECRET }
    jwt: { env: ACME_JWT }
    senders: ["+16505550100"]
groups:
  - name: brand
    senders: ["contoso/+18005550100", "contoso/20500", "acme/+16505550100"]
policy:
  optIn: strict
  guard: { optOuts: { count: 10 } }
schedule: { every: 1 minute, sweep: 500 }
http: { port: 8080, publicUrl: "https://sms.example.com" }
`
