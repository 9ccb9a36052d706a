/**
 * A client that ends when its connection died without a word, whoever uses it: by
 * promises as we do, or by callbacks as pools and the queue of jobs do.
 */
import { Predicate } from "effect"
import pg from "pg"
import { Silence } from "./silence.ts"

export class WatchfulClient extends pg.Client {
  constructor(config: pg.ClientConfig = {}) {
    super(config)
    const silence = new Silence(this, config)
    const query = this.query.bind(this)
    const end = this.end.bind(this)
    const watched = (...args: ReadonlyArray<unknown>): unknown => {
      const last = args.at(-1)
      if (Predicate.isFunction(last)) {
        const { promise, resolve } = Promise.withResolvers<void>()
        silence.asked(promise)
        const told = (...answer: ReadonlyArray<unknown>): unknown => {
          resolve()
          return Reflect.apply(last, undefined, answer)
        }
        return Reflect.apply(query, undefined, [...args.slice(0, -1), told])
      }
      const answer: unknown = Reflect.apply(query, undefined, args)
      if (answer instanceof Promise) silence.asked(answer)
      return answer
    }
    const leave = (...args: ReadonlyArray<unknown>): unknown => {
      silence.left()
      return Reflect.apply(end, undefined, args)
    }
    Object.assign(this, { query: watched, end: leave })
  }
}
