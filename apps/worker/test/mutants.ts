/**
 * Webhook requests gone wrong, from a seed: genuine bodies of every schema that
 * are cut, forged, bent and blown up, each with the statuses that are right for
 * it, who is said in it to have opted out, and whom nobody may take for that.
 */
import { createHash } from "node:crypto"
import { acmeSender, azure, ringcentral, secrets, tenDlc } from "./world.ts"

export interface Mutant {
  readonly what: string
  readonly path: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array<ArrayBuffer>
  readonly right: ReadonlyArray<number>
  /** Digits of the person who must be stored as opted out once this is answered 200. */
  readonly says: string | undefined
  /** Digits of everybody who may be stored: in some of these bodies chance writes a number of its own. */
  readonly may: ReadonlyArray<string>
}

/** Draws whole numbers below a limit; the same seed draws the same for ever. */
type Chance = (limit: number) => number

const makeChance = (seed: string): Chance => {
  let turn = 0
  return (limit) => createHash("sha256").update(`${seed}/${turn++}`).digest().readUInt32BE() % limit
}

const pick = <A>(chance: Chance, from: ReadonlyArray<A>): A => from[chance(from.length)]!

/** A genuine request that says that a person opted out. */
interface Genuine {
  readonly vendor: "azure" | "ringcentral"
  readonly body: unknown
  /** Where the facts are that nobody can do without: keys on the way to each. */
  readonly needed: ReadonlyArray<ReadonlyArray<string | number>>
  /** Where things are that nobody reads for what was said. */
  readonly idle: ReadonlyArray<ReadonlyArray<string | number>>
}

const at = "2026-05-04T10:11:12.3456789Z"

const textData = (id: string, person: string) => ({
  messageId: id,
  from: person,
  to: tenDlc,
  message: "STOP",
  receivedTimestamp: at,
  segmentCount: 1
})

const pascal = (data: object) =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key.charAt(0).toUpperCase() + key.slice(1), value]))

const gridEvent = (id: string, kind: string, data: object) => ({
  id,
  topic: "/subscriptions/none/resourcegroups/none",
  subject: "/phonenumber/none",
  data,
  eventType: `Microsoft.Communication.${kind}`,
  dataVersion: "1.0",
  metadataVersion: "1",
  eventTime: at
})

const cloudEvent = (id: string, kind: string, data: object) => ({
  id,
  source: "/subscriptions/none/resourcegroups/none",
  subject: "/phonenumber/none",
  data,
  type: `Microsoft.Communication.${kind}`,
  time: at,
  specversion: "1.0"
})

const report = (id: string, person: string) => ({
  messageId: id,
  from: tenDlc.slice(1),
  to: person,
  deliveryStatus: "Failed",
  deliveryStatusDetails: "4007: The Destination/To number opted out of receiving messages from you.",
  deliveryAttempts: [{ timestamp: at, segmentsSucceeded: 0, segmentsFailed: 1 }],
  receivedTimestamp: at
})

const told = (id: string, event: string, body: object) => ({
  uuid: id,
  event,
  timestamp: at,
  subscriptionId: "none",
  ownerId: "1",
  body
})

const genuine: ReadonlyArray<(id: string, person: string) => Genuine> = [
  (id, person) => ({
    vendor: "azure",
    body: [gridEvent(id, "SMSReceived", textData(id, person))],
    needed: [
      [0, "eventType"],
      [0, "data"],
      [0, "data", "from"],
      [0, "data", "to"],
      [0, "data", "message"]
    ],
    idle: [
      [0, "id"],
      [0, "topic"],
      [0, "eventTime"],
      [0, "data", "receivedTimestamp"],
      [0, "data", "segmentCount"]
    ]
  }),
  (id, person) => ({
    vendor: "azure",
    body: [gridEvent(id, "SMSDeliveryReportReceived", pascal(report(id, person)))],
    needed: [
      [0, "data", "From"],
      [0, "data", "To"],
      [0, "data", "DeliveryStatus"],
      [0, "data", "DeliveryStatusDetails"]
    ],
    idle: [
      [0, "subject"],
      [0, "data", "MessageId"],
      [0, "data", "DeliveryAttempts"],
      [0, "metadataVersion"]
    ]
  }),
  (id, person) => ({
    vendor: "azure",
    body: cloudEvent(id, "SMSReceived", pascal(textData(id, person.slice(1)))),
    needed: [["type"], ["data"], ["data", "From"], ["data", "To"], ["data", "Message"]],
    idle: [["id"], ["source"], ["time"], ["specversion"], ["data", "ReceivedTimestamp"]]
  }),
  (id, person) => ({
    vendor: "azure",
    body: [cloudEvent(id, "SMSDeliveryReportReceived", report(id, person))],
    needed: [
      [0, "type"],
      [0, "data", "from"],
      [0, "data", "to"],
      [0, "data", "deliveryStatus"]
    ],
    idle: [
      [0, "id"],
      [0, "time"],
      [0, "data", "deliveryAttempts"],
      [0, "data", "receivedTimestamp"]
    ]
  }),
  (id, person) => ({
    vendor: "ringcentral",
    body: told(id, "/restapi/v1.0/account/400000001/a2p-sms/opt-outs", { from: acmeSender, to: person, active: true }),
    needed: [["event"], ["body"], ["body", "from"], ["body", "to"], ["body", "active"]],
    idle: [["subscriptionId"], ["ownerId"]]
  }),
  (id, person) => ({
    vendor: "ringcentral",
    body: told(id, "/restapi/v1.0/account/400000001/a2p-sms/messages?direction=Inbound", {
      id,
      from: person,
      to: [acmeSender],
      direction: "Inbound",
      text: "stop!",
      creationTime: at
    }),
    needed: [["event"], ["body", "from"], ["body", "to"], ["body", "direction"], ["body", "text"]],
    idle: [["subscriptionId"], ["ownerId"]]
  })
]

type Shape = Pick<Mutant, "what" | "right"> & {
  readonly body: string | Uint8Array<ArrayBuffer>
  /** Whether the person is still said to have opted out; `maybe`: it may be taken either way. */
  readonly says: boolean | "maybe"
  readonly request?: Partial<Pick<Mutant, "path" | "method" | "headers">>
}

/** The same tree with one place changed. */
const set = (tree: unknown, [key, ...rest]: ReadonlyArray<string | number>, value: unknown): unknown => {
  if (key === undefined) return value
  if (Array.isArray(tree)) return tree.map((item, index) => (index === key ? set(item, rest, value) : item))
  const entries = Object.entries(tree as object)
  return Object.fromEntries(entries.map(([name, item]) => [name, name === key ? set(item, rest, value) : item]))
}

const strange: ReadonlyArray<unknown> = [
  null,
  "true",
  0,
  -1.5e300,
  14255550123,
  [],
  {},
  [[]],
  "",
  " ",
  "nonsense",
  "+",
  "+1",
  { "": {} }
]
const encode = (text: string, encoding: BufferEncoding) => new Uint8Array(Buffer.from(text, encoding))
const outside: ReadonlyArray<string> = [
  "",
  "null",
  "0",
  '"STOP"',
  "{}",
  "[[]]",
  "<html></html>",
  "from=%2B1&body=STOP",
  "\u0000",
  "[",
  "{"
]

/** What can happen to a request on its way, or before it, in the hands of somebody who means harm. */
const mutations: ReadonlyArray<(one: Genuine, chance: Chance, stranger: string) => Shape> = [
  ({ body }) => ({ what: "genuine", body: JSON.stringify(body), right: [200], says: true }),
  ({ body }) => ({ what: "spread out", body: `\r\n ${JSON.stringify(body, null, 7)} \t`, right: [200], says: true }),
  ({ body }) => ({ what: "with a mark before it", body: `\uFEFF${JSON.stringify(body)}`, right: [200], says: true }),
  ({ body }, chance) => {
    const text = JSON.stringify(body)
    return { what: "cut off", body: text.slice(0, chance(text.length)), right: [400], says: false }
  },
  (one, chance) => ({
    what: "without a fact",
    body: JSON.stringify(set(one.body, pick(chance, one.needed), undefined)),
    right: [200, 400],
    says: false
  }),
  (one, chance) => {
    const place = pick(chance, one.needed)
    // A word for a boolean, or a number that reads as one: neither is what the provider promises.
    const value = pick(chance, strange)
    return {
      what: "of another type",
      body: JSON.stringify(set(one.body, place, value)),
      right: [200, 400],
      says: false
    }
  },
  (one, chance) => ({
    what: "with an idle field bent",
    body: JSON.stringify(set(one.body, pick(chance, one.idle), pick(chance, strange))),
    right: [200],
    says: true
  }),
  (one, chance) => ({
    what: "with a huge text in it",
    body: JSON.stringify(set(one.body, pick(chance, one.idle), "🙂".repeat(1 + chance(100_000)))),
    right: [200],
    says: true
  }),
  (one, chance) => ({
    what: "with letters that are none",
    body: JSON.stringify(
      set(one.body, pick(chance, one.idle), pick(chance, ["a\u0000b", "\u0000", "\ud800", "a\udfff"]))
    ),
    right: [200],
    says: true
  }),
  (one, chance) => ({
    what: "too large",
    body: JSON.stringify(set(one.body, pick(chance, one.idle), "x".repeat(2_100_000 + chance(1_000_000)))),
    right: [413],
    says: false
  }),
  (one, chance) => {
    const deep = 1 + chance(100_000)
    const text = "[".repeat(deep) + "]".repeat(deep)
    const place = pick(chance, one.idle)
    const inside = JSON.stringify(set(one.body, place, "HERE")).replace('"HERE"', () => text)
    // Some of these are idle where only a plain value is looked at; deep ones are nothing.
    return { what: "deep inside", body: inside, right: [200, 400], says: "maybe" }
  },
  ({ body }, chance) => {
    const deep = 2 + chance(50_000)
    const text = "[".repeat(deep) + JSON.stringify(body) + "]".repeat(deep)
    return { what: "deep down", body: text, right: [400], says: false }
  },
  ({ body }) => ({
    what: "in two bytes a letter",
    body: encode(JSON.stringify(body), "utf16le"),
    right: [400],
    says: false
  }),
  (one, chance) => {
    const bytes = encode(JSON.stringify(set(one.body, pick(chance, one.idle), "HERE")), "latin1")
    const place = Buffer.from(bytes).indexOf("HERE")
    bytes.set([0xff, 0xc0, 0x80, 0xfe], place)
    return { what: "with bytes that are no letters", body: bytes, right: [200], says: true }
  },
  (one, _, stranger) => {
    const { person, text } = withPerson(one)
    // The same key twice: the last one counts, as for everybody who reads JSON.
    const key = keyOf(text, person)
    return {
      what: "with a key twice",
      body: text.replace(`"${key}":"${person}"`, () => `"${key}":"${stranger}","${key}":"${person}"`),
      right: [200],
      says: true
    }
  },
  ({ body }) => ({
    what: "with keys of the language",
    body: JSON.stringify(body).replace("{", '{"__proto__":{"data":1},"constructor":0,"toString":[],'),
    right: [200],
    says: true
  }),
  (one, chance) => {
    const bytes = encode(JSON.stringify(one.body), "utf8")
    for (let flips = 1 + chance(4); flips > 0; flips--) bytes[chance(bytes.length)] = chance(256)
    return { what: "with bytes flipped", body: bytes, right: [200, 400], says: "maybe" }
  },
  (one, chance) => {
    const broken = [null, "x", 12, {}, { eventType: 1 }, { type: "x" }, { data: [] }]
    const event = Array.isArray(one.body) ? one.body[0] : one.body
    return one.vendor === "azure"
      ? {
          what: "among broken ones",
          body: JSON.stringify([pick(chance, broken), event, pick(chance, broken)]),
          right: [200],
          says: true
        }
      : { what: "among broken ones", body: JSON.stringify([pick(chance, broken), event]), right: [400], says: false }
  },
  (_, chance) => ({ what: "something else", body: pick(chance, outside), right: [400], says: false }),
  ({ body, vendor }) => ({
    what: "at the other's door",
    body: JSON.stringify(body),
    right: [400],
    says: false,
    request: doorOf(vendor === "azure" ? "ringcentral" : "azure")
  }),
  ({ body, vendor }, chance) => {
    const { headers, path } = pick(chance, forgeries(vendor))
    return { what: "forged", body: JSON.stringify(body), right: [401], says: false, request: { headers, path } }
  },
  (_, chance) => ({
    what: "forged, and nothing to read",
    body: pick(chance, outside),
    right: [401],
    says: false,
    request: pick(chance, forgeries(pick(chance, ["azure", "ringcentral"])))
  }),
  ({ body }, chance) => ({
    what: "by another method",
    body: JSON.stringify(body),
    right: [400, 405],
    says: false,
    request: { method: pick(chance, ["PUT", "DELETE", "PATCH", "OPTIONS"]) }
  }),
  ({ body }, chance) => ({
    what: "to nobody",
    body: JSON.stringify(body),
    right: [404],
    says: false,
    request: { path: pick(chance, ["/webhooks/fabrikam", "/webhooks/CONTOSO", "/webhooks/", "/webhooks/%00", "/"]) }
  })
]

const doorOf = (
  vendor: Genuine["vendor"]
): { readonly path: string; readonly headers: Readonly<Record<string, string>> } =>
  vendor === "azure"
    ? { path: `/webhooks/${azure}?code=${secrets.CONTOSO_WEBHOOK_SECRET}`, headers: {} }
    : { path: `/webhooks/${ringcentral}`, headers: { "verification-token": secrets.ACME_WEBHOOK_TOKEN } }

const forgeries = (vendor: Genuine["vendor"]) => {
  const path = `/webhooks/${vendor === "azure" ? azure : ringcentral}`
  const [own, other] =
    vendor === "azure"
      ? [secrets.CONTOSO_WEBHOOK_SECRET, secrets.ACME_WEBHOOK_TOKEN]
      : [secrets.ACME_WEBHOOK_TOKEN, secrets.CONTOSO_WEBHOOK_SECRET]
  const claims = ["", "guess", other, own.slice(1), own.toUpperCase(), `${own}x`, `${own},${own}`, "x".repeat(4_000)]
  const [name, away] =
    vendor === "azure" ? ["x-stopline-secret", "verification-token"] : ["verification-token", "x-stopline-secret"]
  return [
    { path, headers: {} },
    { path, headers: { [away]: own } },
    { path, headers: { authorization: `Bearer ${own}` } },
    { path, headers: { authorization: "Bearer e30.e30.e30" } },
    { path: `${path}?secret=${own}`, headers: {} },
    ...claims.flatMap((claim) => [
      { path: `${path}?code=${encodeURIComponent(claim)}`, headers: {} },
      { path, headers: { [name]: claim } }
    ])
  ]
}

/** The person as the body writes their number, and under which key. */
const withPerson = ({ body }: Genuine) => {
  const text = JSON.stringify(body)
  return { text, person: /\+?1206\d{7}/.exec(text)![0] }
}
const keyOf = (text: string, person: string) =>
  text
    .slice(0, text.indexOf(`":"${person}"`))
    .split('"')
    .at(-1)!

/** Everybody in a series has a number of their own, so that it is known by the number which request said something. */
const personOf = (index: number, series: number) => `+1206${series}${String(index).padStart(6, "0")}`

export const makeMutant = (seed: number, index: number): Mutant => {
  const chance = makeChance(`${seed}/${index}`)
  const person = personOf(index, 2)
  const one = pick(chance, genuine)(`made-up-${seed}-${index}`, person)
  const { body, request, right, says, what } = mutations[index % mutations.length]!(one, chance, personOf(index, 9))
  const door = doorOf(one.vendor)
  return {
    what,
    method: "POST",
    ...door,
    ...request,
    headers: { "content-type": "application/json", ...(request?.headers ?? door.headers) },
    body,
    right,
    says: says === true ? person.slice(1) : undefined,
    // What a body with flipped bytes says is what it says: any number that stands in it.
    may:
      says === "maybe"
        ? (Buffer.from(body)
            .toString("utf8")
            .match(/\d{7,15}/g) ?? [])
        : says
          ? [person.slice(1)]
          : []
  }
}
