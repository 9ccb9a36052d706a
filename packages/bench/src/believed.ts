/**
 * An answer, taken for what it should be. The least that can be done with one is
 * to believe it; what is measured beside Stopline does no more, and the bench
 * itself speaks only to its own processes.
 */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion, typescript/no-unnecessary-type-parameters
export const believed = <A>(json: string): A => JSON.parse(json) as A
