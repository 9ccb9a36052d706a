/**
 * What a trace is: one request, one look, one round. A span of something that
 * lasts as long as the process is no parent, or a day would be one trace. And
 * what is of no use to anybody who reads it is left out of a span: URLs, headers
 * and addresses carry secrets and numbers (L14).
 */
import { Option, Tracer } from "effect"

/** They end with the process, or with a connection. They are made by the tracer that tells nobody. */
const lasting = new Set(["rounds", "attend", "Listener.start", "keepGathering"])

const secretive = /^(?:url\.(?!scheme)|http\.(?:request|response)\.header\.|client\.|user_agent)/

type SpanOptions = Parameters<Tracer.Tracer["span"]>[0]

/** The share of traces that are kept, decided by the trace's number: all of a trace, or nothing. */
const isKept = (traceId: string, share: number): boolean => Number.parseInt(traceId.slice(-8), 16) / 2 ** 32 < share

export const withManners = (inner: Tracer.Tracer, share: number): Tracer.Tracer => {
  const ours = new WeakSet<Tracer.Span>()
  // A caller's own trace is gone on with. What another tracer of this process began is nobody's parent.
  const isRoot = ({ parent }: SpanOptions) =>
    Option.isNone(parent) || (parent.value._tag === "Span" && !ours.has(parent.value))
  const rooted = (options: SpanOptions): Tracer.Span => {
    const root = { ...options, parent: Option.none() }
    const span = inner.span(root)
    return span.sampled && !isKept(span.traceId, share) ? inner.span({ ...root, sampled: false }) : span
  }
  return Tracer.make({
    span: (options) => {
      if (lasting.has(options.name)) return Tracer.nativeTracer.span(options)
      const span = discreet(isRoot(options) ? rooted(options) : inner.span(options))
      ours.add(span)
      return span
    },
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
