/** Larkpost, the provider of docs/adapters.md that does not exist: its list, its writes and its webhook, over HTTP. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { Recipient, SenderAddress } from "@stopline/consent"
import { Duration, Effect } from "effect"
import { type Asked, cannotFake, type Fake, type Fault, openRelay } from "../src/index.ts"
import { listen, textOf } from "../src/server.ts"

interface Larkpost extends Fake {
  readonly url: string
}

export const key = "k-known-to-nobody"
export const webhookSecret = "w-known-to-nobody"
const sender = SenderAddress.make("+18005550100")
const people = Array.from({ length: 30 }, (_, index) => Recipient.make(`+1206555${1000 + index}`))

/** What it holds, and what is armed. */
class Books {
  readonly blocked = new Set<string>()
  readonly faults = new Map<string, Fault>()
  hook: string | undefined
  #count = 0

  next(): number {
    return ++this.#count
  }

  /** Faults about one recipient last; all others strike once. */
  struck(method: string): Fault | undefined {
    const fault = this.faults.get(method)
    if (fault !== undefined && !("recipient" in fault)) this.faults.delete(method)
    return fault
  }
}

interface Said {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: unknown
}

/** A token is a place in the list, and something that makes it another one each time. */
const listed = (books: Books, query: URLSearchParams, fault: Fault | undefined): Said => {
  const after = query.get("after")
  const start = Number(after?.split(".")[0] ?? 0)
  const size = Number(query.get("limit"))
  const token = (place: number) => `${place}.${books.next()}`
  if (fault?.kind === "forgottenToken") return { status: 404, body: { problem: "no such page" } }
  if (fault?.kind === "emptyPage") return { body: { rows: [], next: token(start) } }
  const all = [...books.blocked].map((to) => ({ from: sender, to }))
  const next = start + size < all.length ? token(start + size) : null
  return { body: { rows: all.slice(start, start + size), next: fault?.kind === "repeatedToken" ? after : next } }
}

const written = (books: Books, body: string, fault: Fault | undefined): Said => {
  const { to }: { readonly to: ReadonlyArray<string> } = JSON.parse(body)
  const results = to.flatMap((recipient) => {
    const bad = fault !== undefined && "recipient" in fault && fault.recipient === recipient
    if (!bad || (fault.kind === "itemMissing" && fault.applied)) books.blocked.add(recipient)
    if (bad && fault.kind === "itemMissing") return []
    return [{ to: recipient, status: bad ? "invalid" : "held" }]
  })
  return { body: { results } }
}

const answer = async (books: Books, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const body = await textOf(request)
  const { method = "", url = "" } = request
  const say = ({ body, headers = {}, status = 200 }: Said) =>
    void response.writeHead(status, headers).end(typeof body === "string" ? body : JSON.stringify(body))
  if (request.headers.authorization !== `Bearer ${key}`) return say({ status: 401, body: "who are you?" })
  const fault = books.struck(method)
  const work = (fault?: Fault) =>
    method === "GET" ? listed(books, new URL(url, "http://localhost").searchParams, fault) : written(books, body, fault)
  if (fault !== undefined && "applied" in fault && fault.kind !== "itemMissing" && fault.applied) work()
  switch (fault?.kind) {
    case "throttled": {
      const wait = fault.retryAfter && { "retry-after": String(Duration.toSeconds(fault.retryAfter)) }
      return say({ status: 429, ...(wait && { headers: wait }), body: "slower" })
    }
    case "unavailable":
      return say({ status: 503, body: "later" })
    case "html":
      return say({ body: "<html>later</html>" })
    case "hang":
      return
    case "cut":
      return void request.socket.destroy()
    default:
      return say(work(fault))
  }
}

const methods: Readonly<Partial<Record<Asked, string>>> = { probe: "GET", list: "GET", optOut: "POST" }

export const startLarkpost = Effect.gen(function* () {
  const books = new Books()
  const relay = yield* openRelay(yield* listen(createServer((...pair) => void answer(books, ...pair))))
  const larkpost: Larkpost = {
    url: relay.url,
    sender,
    people,
    secrets: [key, webhookSecret],
    seed: (some) => Effect.sync(() => some.forEach((person) => books.blocked.add(person))),
    held: Effect.sync(() => [...books.blocked]),
    log: relay.log,
    inFlight: relay.inFlight,
    fault: (operation, fault) => {
      const method = methods[operation]
      if (fault.kind === "unreachable") return relay.close
      if (fault.kind === "denied") return relay.answerNext(403)
      if (fault.kind === "refused") return relay.answerNext(404)
      if (fault.kind === "batchRefused") return cannotFake("Larkpost refuses no batch because of one recipient")
      if (method === undefined) return cannotFake(`Larkpost has no ${operation}`)
      return Effect.sync(() => void books.faults.set(method, fault))
    },
    text: (from, text) =>
      Effect.promise(async () => {
        const headers = { "x-larkpost-secret": webhookSecret }
        const body = JSON.stringify({ id: `t${books.next()}`, from, to: sender, text, at: "2026-11-20T12:00:00Z" })
        if (books.hook !== undefined) await fetch(books.hook, { method: "POST", headers, body })
      }),
    events: {
      subscribe: (url) => Effect.sync(() => void (books.hook = url)),
      forge: ({ headers, ...request }) =>
        ["", "guess", webhookSecret.slice(1)].map((secret) => ({
          ...request,
          headers: { ...headers, "x-larkpost-secret": secret }
        }))
    }
  }
  return larkpost
})
