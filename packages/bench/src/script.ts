/**
 * The script that people write in an afternoon, and not a bad one: the vendors'
 * own SDKs, a pool of connections, a limit on what runs at once, retries, and a
 * column that says who is done, so that it can be run again.
 */
import { believed } from "./believed.ts"
import { SmsClient } from "@azure/communication-sms"
import { SDK } from "@ringcentral/sdk"
import pLimit from "p-limit"
import pg from "pg"
import type { Providers } from "./providers.ts"

interface Page {
  readonly records: ReadonlyArray<{ readonly from: string; readonly to: string }>
  readonly paging: { readonly nextPageToken?: string }
}

export interface ScriptReport {
  readonly listed: number
  /** Logged, and left for the next time that somebody runs it. */
  readonly failed: number
}

export const runScript = async (
  { azure, ringcentral }: Providers,
  from: string,
  database: string
): Promise<ScriptReport> => {
  const pool = new pg.Pool({ connectionString: database })
  await pool.query("create table if not exists opt_outs (phone text primary key, source text, synced_at timestamptz)")
  try {
    const listed = await readList(ringcentral, pool)
    return { listed, failed: await writeAll(azure, from, pool) }
  } finally {
    await pool.end()
  }
}

const readList = async ({ credentials, url }: Providers["ringcentral"], pool: pg.Pool): Promise<number> => {
  const platform = new SDK({
    server: url,
    clientId: credentials.clientId,
    clientSecret: credentials.clientSecret
  }).platform()
  await platform.login({ jwt: credentials.jwt })
  let listed = 0
  let pageToken: string | undefined
  do {
    const query = { status: "optout", perPage: 1000, ...(pageToken !== undefined && { pageToken }) }
    const page = await retry(async () => {
      const answer = await platform.get("/restapi/v1.0/account/~/a2p-sms/opt-outs", query)
      return believed<Page>(await answer.text())
    })
    for (const { from, to } of page.records) {
      await pool.query("insert into opt_outs (phone, source) values ($1, $2) on conflict do nothing", [to, from])
    }
    listed += page.records.length
    pageToken = page.paging.nextPageToken
  } while (pageToken !== undefined)
  return listed
}

const writeAll = async ({ credentials }: Providers["azure"], from: string, pool: pg.Pool): Promise<number> => {
  const sms = new SmsClient(credentials.connectionString, { allowInsecureConnection: true })
  const { rows } = await pool.query<{ phone: string }>("select phone from opt_outs where synced_at is null")
  const limit = pLimit(10)
  let failed = 0
  await Promise.all(
    rows.map(({ phone }) =>
      limit(async () => {
        const [result] = await retry(() => sms.optOuts.add(from, [phone]))
        if (result?.httpStatusCode === 200) {
          await pool.query("update opt_outs set synced_at = now() where phone = $1", [phone])
        } else {
          failed += 1
        }
      })
    )
  )
  return failed
}

const retry = async <A>(run: () => Promise<A>, times = 3): Promise<A> => {
  try {
    return await run()
  } catch (error) {
    if (times === 0) throw error
    await new Promise((resolve) => setTimeout(resolve, 1000))
    return retry(run, times - 1)
  }
}
