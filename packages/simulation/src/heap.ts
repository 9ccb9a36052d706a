/** For Node: nearly all that a universe makes is soon forgotten, and with more room for it (MiB) a tenth of the work is saved. */
export const roomy = "--max-semi-space-size=64"
