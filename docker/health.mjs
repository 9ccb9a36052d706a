// Whether the worker in this container is well: 0, or 1 and why. An argument names the port when it is not 4000.
const url = `http://127.0.0.1:${process.argv[2] ?? 4000}/healthz`
try {
  const answer = await fetch(url, { signal: AbortSignal.timeout(4_000) })
  process.stdout.write(`${await answer.text()}\n`)
  process.exitCode = answer.ok ? 0 : 1
} catch (cause) {
  process.stdout.write(`${url}: ${cause instanceof Error ? cause.message : "no answer"}\n`)
  process.exitCode = 1
}
