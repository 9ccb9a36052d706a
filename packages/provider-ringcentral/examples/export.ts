// Writes everybody who is opted out at RingCentral to the standard output, one line each.
//
//   RC_CLIENT_ID=… RC_CLIENT_SECRET=… RC_JWT=… node export.ts [+16505550100]
import { createRingCentralProvider } from "@stopline/provider-ringcentral"

const [sender] = process.argv.slice(2)

await using rc = createRingCentralProvider({
  clientId: process.env["RC_CLIENT_ID"] ?? "",
  clientSecret: process.env["RC_CLIENT_SECRET"] ?? "",
  jwt: process.env["RC_JWT"] ?? "",
  // Only where it is not https://platform.ringcentral.com.
  ...(process.env["RC_SERVER"] && { server: process.env["RC_SERVER"] })
})

// The list is complete if the loop ends by itself. Whatever else ends it throws.
for await (const { optOuts, problems } of rc.optOuts(sender, { pageSize: 10 })) {
  for (const { number, origin, sender } of optOuts) console.log(number, sender, origin)
  for (const { reason, row } of problems) console.error(row, reason)
}
