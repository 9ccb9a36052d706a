/**
 * How many pairs one burst takes. Whoever says STOP waits for a burst of a bulk
 * apply that is under way, so it is time that bounds a burst: it begins with as
 * many requests as may be under way at once, and takes more while it is quick.
 */
import type { WritePort } from "@stopline/provider"

/** As long as a burst ought to be (ms). */
const shortMs = 500

/** What a statement can carry without making others wait. */
const mostPairs = 1000

/** As many requests as may be under way at once: no burst is smaller. */
export const firstBurst = (port: WritePort): number => port.maxRecipients * port.concurrency

/** Twice as many while that is expected to stay short, half as many after one that was long; whole requests. */
export const nextBurst = (port: WritePort, size: number, tookMs: number): number => {
  const wished = tookMs > shortMs ? size / 2 : tookMs * 2 <= shortMs ? size * 2 : size
  const requests = Math.floor(Math.min(wished, mostPairs) / port.maxRecipients)
  return Math.max(firstBurst(port), requests * port.maxRecipients)
}
