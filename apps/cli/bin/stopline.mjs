#!/usr/bin/env node
// Node runs TypeScript by itself from 22.18 on. Said here in words, since an
// older one would only say that it cannot read a file.
const [major, minor] = process.versions.node.split(".").map(Number)
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `stopline: this is Node ${process.versions.node}, and 22.18 or newer is needed. ` +
      "`npm run setup` brings its own Node where it can; else install a newer one.\n"
  )
  process.exit(1)
}
await import("../src/main.ts")
