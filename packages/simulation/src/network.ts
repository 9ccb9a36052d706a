/**
 * What adapters' requests leave by: a world in memory, in place of sockets. The
 * adapters, their signing and their vendors' clients are the real ones.
 */
import type { HttpClient, PipelineResponse } from "@azure/core-rest-pipeline"
import { createHttpHeaders } from "@azure/core-rest-pipeline"
import type { AnyAccount, OutgoingAnswer, OutgoingRequest, Outcome, WireRequest, WireResponse } from "@stopline/sandbox"

/** Answers a webhook's handshake. */
export type Handshake = (request: OutgoingRequest) => Promise<OutgoingAnswer>

/** Sees each request before it is carried out. What it returns is told what came of it. */
export type Witness = (account: string, request: WireRequest) => (outcome: Outcome) => void

/** No answer came; whether anything was done, nobody knows. */
class ConnectionReset extends Error {
  readonly code = "ECONNRESET"
}

const settle = async (outcome: Outcome, handshake: Handshake): Promise<WireResponse> => {
  switch (outcome._tag) {
    case "Answer":
      return outcome.response
    case "Later":
      return settle(outcome.outcome, handshake)
    case "Ask":
      return settle(outcome.answered(await handshake(outcome.request)), handshake)
    default:
      throw new ConnectionReset("the connection was reset")
  }
}

export const azureNetwork = (account: AnyAccount, witness: Witness, handshake: Handshake): HttpClient => ({
  sendRequest: async (request): Promise<PipelineResponse> => {
    const url = new URL(request.url)
    const wire: WireRequest = {
      method: request.method,
      path: url.pathname,
      query: url.search.slice(1),
      headers: { ...request.headers.toJSON(), host: url.host },
      body: typeof request.body === "string" ? request.body : ""
    }
    const carriedOut = witness(account.name, wire)
    const outcome = account.handle(wire)
    carriedOut(outcome)
    const response = await settle(outcome, handshake)
    return { request, status: response.status, headers: createHttpHeaders(response.headers), bodyAsText: response.body }
  }
})

export const ringcentralNetwork =
  (account: AnyAccount, witness: Witness, handshake: Handshake): typeof fetch =>
  async (input, init) => {
    const request = input instanceof Request ? input : new Request(input, init)
    const url = new URL(request.url)
    const wire: WireRequest = {
      method: request.method,
      path: url.pathname,
      query: url.search.slice(1),
      headers: { ...Object.fromEntries(request.headers), host: url.host },
      body: await request.text()
    }
    const carriedOut = witness(account.name, wire)
    const outcome = account.handle(wire)
    carriedOut(outcome)
    const response = await settle(outcome, handshake)
    const empty = response.status === 204 || response.body === ""
    return new Response(empty ? null : response.body, { status: response.status, headers: response.headers })
  }
