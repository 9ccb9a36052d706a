/** The cores that this process may run on, where Linux says so: in a container they need not begin at 0. */
import { readFileSync } from "node:fs"

/** The numbers in a list such as `0-2,5`. */
export const coresIn = (list: string): ReadonlyArray<number> =>
  [...list.matchAll(/(\d+)(?:-(\d+))?/g)].flatMap(([, first, last = first]) =>
    Array.from({ length: Number(last) - Number(first) + 1 }, (_, i) => Number(first) + i)
  )

/** Empty where nobody says so. */
export const ownCores = (): ReadonlyArray<number> => {
  try {
    return coresIn(/^Cpus_allowed_list:(.*)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "")
  } catch {
    return []
  }
}
