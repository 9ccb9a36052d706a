/**
 * Laws of reading a list (L5, L6): every page size and every cursor lead to the
 * same people, and only the provider's own word ends the list.
 */
import { Effect } from "effect"
import { assert } from "vitest"
import { personOf } from "../call.ts"
import { type Bench, type Law, need } from "../law.ts"
import { optedOut, pagesFrom } from "../walk.ts"

const count = 12

/** Seeds the fake, and opens its list. */
const seeded = Effect.fnUntraced(function* ({ adapter, fake }: Bench) {
  const list = yield* need("list", adapter.list)
  yield* fake.seed(fake.people.slice(0, count))
  return list
})

const anySize: Law = {
  name: "a walk finds the same people whatever the page size (L6)",
  try: Effect.fnUntraced(function* (bench) {
    const list = yield* seeded(bench)
    const held = (yield* bench.fake.held).toSorted()
    for (const size of [1, 5, count - 1, count, count + 1, list.maxPage]) {
      const found = optedOut(yield* pagesFrom(list, bench.fake, Math.min(size, list.maxPage)))
      assert.deepStrictEqual(found.toSorted(), held, `pages of ${size}`)
    }
  })
}

const anyCursor: Law = {
  name: "a walk resumed at any cursor, by an adapter that remembers nothing, finds the same rest (L6)",
  try: Effect.fnUntraced(function* (bench) {
    const pages = yield* pagesFrom(yield* seeded(bench), bench.fake, 5)
    for (const [index, { next }] of pages.entries()) {
      if (next._tag === "End") continue
      const later = yield* need("list", (yield* bench.open()).list)
      const rest = optedOut(yield* pagesFrom(later, bench.fake, 5, next.cursor))
      assert.deepStrictEqual(rest, optedOut(pages.slice(index + 1)), `after page ${index + 1}`)
    }
  })
}

/** Reads the second page while something is wrong with it. */
const secondPage = Effect.fnUntraced(function* (bench: Bench, kind: "repeatedToken" | "forgottenToken" | "emptyPage") {
  const list = yield* seeded(bench)
  const { sender } = bench.fake
  const { next } = yield* list.page({ sender, size: 5 })
  const cursor = next._tag === "More" ? next.cursor : assert.fail("the first of several pages names no next one")
  yield* bench.fake.fault("list", { kind })
  return { list, read: Effect.result(list.page({ sender, size: 5, cursor })) }
})

const misled = (kind: "repeatedToken" | "forgottenToken", what: string): Law => ({
  name: `${what} is an error and never an end (L5, L6)`,
  try: Effect.fnUntraced(function* (bench) {
    const read = yield* (yield* secondPage(bench, kind)).read
    const told = read._tag === "Failure" ? read.failure.reason._tag : `a page, and ${read.success.next._tag}`
    assert.include(["Unreadable", "Refused"], told)
  })
})

const emptyPage: Law = {
  name: "an empty page that names a next one is no end (L6)",
  try: Effect.fnUntraced(function* (bench) {
    const { list, read } = yield* secondPage(bench, "emptyPage")
    const page = yield* Effect.fromResult(yield* read)
    const cursor = page.next._tag === "More" ? page.next.cursor : assert.fail("the walk ended")
    const first = yield* list.page({ sender: bench.fake.sender, size: 5 })
    const rest = yield* pagesFrom(list, bench.fake, 5, cursor)
    const found = optedOut([first, page, ...rest])
    assert.deepStrictEqual(found.toSorted(), (yield* bench.fake.held).toSorted())
  })
}

const probe: Law = {
  name: "a probe is one request, and changes nothing",
  try: Effect.fnUntraced(function* ({ adapter, fake }) {
    yield* fake.seed([personOf(fake)])
    const { atFirst = 1 } = fake
    for (const requests of [atFirst, atFirst + 1]) {
      yield* adapter.probe(fake.sender)
      assert.deepStrictEqual(yield* fake.held, [personOf(fake)])
      assert.lengthOf(yield* fake.log, requests)
    }
  })
}

export const listLaws: ReadonlyArray<Law> = [
  probe,
  anySize,
  anyCursor,
  emptyPage,
  misled("repeatedToken", "a repeated token"),
  misled("forgottenToken", "a forgotten token")
]
