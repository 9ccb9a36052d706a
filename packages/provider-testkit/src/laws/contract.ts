/**
 * Laws of what an adapter says about itself, before anything is asked.
 */
import { normalise } from "@stopline/consent"
import type { Capability, ProviderAdapter } from "@stopline/provider"
import { Duration, Effect } from "effect"
import { assert } from "vitest"
import { operations } from "../call.ts"
import type { Asked } from "../fake.ts"
import type { Law } from "../law.ts"

const capabilities = ({ check, events, evidence, list, stream, subscription, write }: ProviderAdapter) => {
  const all: Readonly<Record<string, Capability<unknown>>> = {
    check,
    events,
    evidence,
    list,
    stream,
    subscription,
    ...write
  }
  return all
}

const reasons: Law = {
  name: "whatever it cannot do has a reason that a person can read",
  try: Effect.fnUntraced(function* ({ adapter }) {
    for (const [name, capability] of Object.entries(capabilities(adapter))) {
      if (capability._tag === "Can") continue
      assert.isAtLeast(capability.reason.trim().split(/\s+/).length, 3, name)
      if (capability._tag === "Cannot" && capability.see !== undefined) assert.match(capability.see, /^https:\/\//)
    }
  })
}

const limits: Law = {
  name: "whatever it can do draws on a limit (L15)",
  try: Effect.fnUntraced(function* ({ adapter, fake }) {
    const all = capabilities(adapter)
    const can = (operation: Asked) => operation === "probe" || all[operation]?._tag === "Can"
    for (const operation of operations.filter(can)) {
      assert.isTrue(
        adapter.limits.some((limit) => limit.operations.some((drawn) => drawn === operation)),
        operation
      )
    }
    for (const { credential, requests, window } of adapter.limits) {
      assert.isAbove(requests, 0)
      assert.isAbove(Duration.toMillis(window), 0)
      for (const secret of fake.secrets) assert.isFalse(credential.includes(secret), "a limit's credential is a secret")
    }
  })
}

const words: Law = {
  name: "its keywords are normalised, and none means both",
  try: Effect.fnUntraced(function* ({ adapter }) {
    const { optIn, optOut } = adapter.keywords
    assert.deepStrictEqual([...optOut, ...optIn].map(normalise), [...optOut, ...optIn])
    assert.isEmpty(optOut.filter((word) => optIn.includes(word)))
  })
}

export const contractLaws: ReadonlyArray<Law> = [reasons, limits, words]
