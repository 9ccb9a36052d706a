/** RingCentral's list, read with nothing but `fetch`. */
import { believed } from "./believed.ts"
import type { Providers } from "./providers.ts"

type Account = Providers["ringcentral"]

/** One record as it comes. */
export interface Listed {
  readonly from: string
  readonly to: string
  readonly optStatus: string
  readonly source: string
  readonly lastModifiedTime: string
}

interface Page {
  readonly records: ReadonlyArray<Listed>
  readonly paging: { readonly nextPageToken?: string }
}

const logIn = async ({ credentials, url }: Account): Promise<string> => {
  const answer = await fetch(`${url}/restapi/oauth/token`, {
    method: "POST",
    headers: {
      authorization: `Basic ${Buffer.from(`${credentials.clientId}:${credentials.clientSecret}`).toString("base64")}`
    },
    body: new URLSearchParams({
      grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
      assertion: credentials.jwt
    })
  })
  const { access_token } = believed<{ access_token: string }>(await answer.text())
  return access_token
}

/** All pages, one after another: each names the next one. */
export async function* pages(account: Account, sender?: string): AsyncGenerator<ReadonlyArray<Listed>> {
  const token = await logIn(account)
  let pageToken: string | undefined
  do {
    const answer: Response = await fetch(`${account.url}/restapi/v2/accounts/~/sms/consents/search`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({
        optStatus: "OptOut",
        perPage: 1000,
        ...(sender !== undefined && { from: [sender] }),
        ...(pageToken !== undefined && { pageToken })
      })
    })
    const page = believed<Page>(await answer.text())
    yield page.records
    pageToken = page.paging.nextPageToken
  } while (pageToken !== undefined)
}
