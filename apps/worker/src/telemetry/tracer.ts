/**
 * What a trace is: one request, one look, one round. A span of something that
 * lasts as long as the process is no parent, or a day would be one trace. And
 * what is of no use to anybody who reads it is left out of a span: URLs, headers
 * and addresses carry secrets and numbers (L14).
 */
import { Option, Tracer } from "effect"

/** They end with the process, or with a connection. */
const lasting = new Set(["rounds", "attend", "Listener.start", "keepGathering"])

const secretive = /^(?:url\.(?!scheme)|http\.(?:request|response)\.header\.|client\.|user_agent)/

type SpanOptions = Parameters<Tracer.Tracer["span"]>[0]

/** The share of traces that are kept, decided by the trace's number: all of a trace, or nothing. */
const isKept = (traceId: string, share: number): boolean => Number.parseInt(traceId.slice(-8), 16) / 2 ** 32 < share

export const withManners = (inner: Tracer.Tracer, share: number): Tracer.Tracer => {
  const isRoot = (parent: SpanOptions["parent"]) =>
    Option.isNone(parent) || (parent.value._tag === "Span" && lasting.has(parent.value.name))
  const rooted = (options: SpanOptions): Tracer.Span => {
    const root = { ...options, parent: Option.none() }
    const span = inner.span({ ...root, sampled: options.sampled && !lasting.has(options.name) })
    return span.sampled && !isKept(span.traceId, share) ? inner.span({ ...root, sampled: false }) : span
  }
  return Tracer.make({
    span: (options) => discreet(isRoot(options.parent) ? rooted(options) : inner.span(options)),
    ...(inner.context !== undefined && { context: inner.context })
  })
}

const discreet = (span: Tracer.Span): Tracer.Span => {
  const attribute = span.attribute.bind(span)
  span.attribute = (key, value) => {
    if (!secretive.test(key)) attribute(key, value)
  }
  return span
}
