/**
 * Pages by key, newest first, as RingCentral's page tokens read when decoded:
 * `F:<first id>` for the first page, `N:<last id>:<first page's token>` for the
 * next. Tokens are opaque by contract; clients must not read them.
 */
export interface Keyed {
  readonly id: number
}

/** RingCentral OpenAPI 2026-08-13: NonEnumeratedPagingModel. */
interface Paging {
  readonly perPage: number
  readonly pageToken?: string
  readonly firstPageToken?: string
  readonly nextPageToken?: string
}

export interface KeysetPage<Row> {
  readonly records: ReadonlyArray<Row>
  readonly paging: Paging
}

export interface PageQuery<Row> {
  /** By growing id. */
  readonly rows: ReadonlyArray<Row>
  readonly accept: (row: Row) => boolean
  readonly perPage: number
  readonly pageToken: string | undefined
  /** Some lists hand out a next token on their last page, too; an empty page follows. */
  readonly tokenOnLastPage: boolean
}

const encode = (text: string): string => Buffer.from(text).toString("base64")
const decode = (token: string): string => Buffer.from(token, "base64").toString()

const firstToken = (id: number): string => encode(`F:${id}`)

/** `salt` makes two tokens of one place differ. */
const nextToken = (lastId: number, first: string, salt?: number): string =>
  encode(`N:${lastId}:${first}${salt === undefined ? "" : `:${salt}`}`)

interface Place {
  /** Only rows with a smaller id follow. */
  readonly below: number
  readonly first: string
}

const readToken = (token: string): Place | undefined => {
  const text = decode(token)
  const first = /^F:(\d+)$/.exec(text)
  if (first !== null) return { below: Number(first[1]) + 1, first: token }
  const next = /^N:(\d+):([A-Za-z0-9+/=]+)(?::\d+)?$/.exec(text)
  if (next === null || !/^F:\d+$/.test(decode(next[2]!))) return undefined
  return { below: Number(next[1]), first: next[2]! }
}

/** The index of the first row whose id is not smaller. */
const indexOf = (rows: ReadonlyArray<Keyed>, id: number): number => {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (rows[middle]!.id < id) low = middle + 1
    else high = middle
  }
  return low
}

const take = <Row extends Keyed>(query: PageQuery<Row>, below: number): { rows: Array<Row>; more: boolean } => {
  const rows: Array<Row> = []
  for (let i = indexOf(query.rows, below) - 1; i >= 0; i--) {
    const row = query.rows[i]!
    if (!query.accept(row)) continue
    if (rows.length === query.perPage) return { rows, more: true }
    rows.push(row)
  }
  return { rows, more: false }
}

/** A token that nobody issued gives an empty page without tokens, and no error (OpenAPI: pageToken). */
export const unknownPage = (perPage: number): KeysetPage<never> => ({ records: [], paging: { perPage } })

export const readPage = <Row extends Keyed>(query: PageQuery<Row>): KeysetPage<Row> => {
  const { perPage, pageToken } = query
  const place = pageToken === undefined ? undefined : readToken(pageToken)
  if (pageToken !== undefined && place === undefined) return unknownPage(perPage)
  const { more, rows } = take(query, place?.below ?? Number.POSITIVE_INFINITY)
  const [newest] = rows
  const oldest = rows.at(-1)
  if (newest === undefined || oldest === undefined) {
    // The rows behind a token that was given out may be gone; the token is known all the same.
    const known = place === undefined ? {} : { pageToken: pageToken!, firstPageToken: place.first }
    return { records: [], paging: { perPage, ...known } }
  }
  const first = place?.first ?? firstToken(newest.id)
  return {
    records: rows,
    paging: {
      perPage,
      pageToken: pageToken ?? first,
      firstPageToken: first,
      ...((more || query.tokenOnLastPage) && { nextPageToken: nextToken(oldest.id, first) })
    }
  }
}

/** The page is empty, and its next token leads to the rows it should have shown. */
export const emptied = <Row extends Keyed>(page: KeysetPage<Row>, salt: number): KeysetPage<Row> => {
  const [newest] = page.records
  const first = page.paging.firstPageToken
  if (newest === undefined || first === undefined) return page
  return { records: [], paging: { ...page.paging, nextPageToken: nextToken(newest.id + 1, first, salt) } }
}

/** The page's next token is its own. */
export const repeating = <Row>(page: KeysetPage<Row>): KeysetPage<Row> =>
  page.paging.pageToken === undefined
    ? page
    : { ...page, paging: { ...page.paging, nextPageToken: page.paging.pageToken } }

/** The page ends half-way, as if it were the last. */
export const cutShort = <Row>(page: KeysetPage<Row>): KeysetPage<Row> => {
  const { nextPageToken: _, ...paging } = page.paging
  return { records: page.records.slice(0, Math.floor(page.records.length / 2)), paging }
}
