/**
 * What a provider can do is the port that does it, or the reason why not. Never
 * a boolean beside a method: the two would drift apart.
 */
export type Capability<Port> =
  | { readonly _tag: "Can"; readonly port: Port }
  /** The provider does not offer it. `see`: where that is written. */
  | { readonly _tag: "Cannot"; readonly reason: string; readonly see?: string }
  /** The provider offers it; this adapter, or this configuration, does not use it yet. */
  | { readonly _tag: "NotYet"; readonly reason: string }

export const can = <Port>(port: Port): Capability<Port> => ({ _tag: "Can", port })
export const cannot = (reason: string, see?: string): Capability<never> => ({
  _tag: "Cannot",
  reason,
  ...(see !== undefined && { see })
})
export const notYet = (reason: string): Capability<never> => ({ _tag: "NotYet", reason })
