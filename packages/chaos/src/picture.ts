/** The samples as a picture: a panel for each thing, time from left to right. */
import { createRequire } from "node:module"
import { Resvg } from "@resvg/resvg-js"
import type { Sample } from "./sample.ts"

interface Line {
  readonly colour: string
  readonly pick: (sample: Sample) => number
}

interface Panel {
  readonly title: string
  readonly lines: ReadonlyArray<Line>
}

const blue = "#1f5fa8"
const orange = "#c8641b"

const panels: ReadonlyArray<Panel> = [
  {
    title: "Memory (MB): worker one blue, worker two orange",
    lines: [
      { colour: blue, pick: ({ one }) => one },
      { colour: orange, pick: ({ two }) => two }
    ]
  },
  { title: "Connections to Postgres", lines: [{ colour: blue, pick: ({ connections }) => connections }] },
  { title: "/healthz, the slower worker (ms)", lines: [{ colour: blue, pick: ({ answerMs }) => answerMs }] },
  { title: "The STOP that waits longest (s)", lines: [{ colour: blue, pick: ({ waitingSeconds }) => waitingSeconds }] }
]

const width = 900
const height = 160
const left = 60
const room = { width: width - left - 20, height: height - 50 }

const text = (x: number, y: number, words: string, more = "") =>
  `<text x="${x}" y="${y}" font-family="DejaVu Sans" font-size="12" fill="#333" ${more}>${words}</text>`

const panel = ({ lines, title }: Panel, samples: ReadonlyArray<Sample>, index: number): string => {
  const last = samples.at(-1)?.minute ?? 1
  const top = Math.max(1, ...samples.flatMap((sample) => lines.map(({ pick }) => pick(sample)))) * 1.1
  const x = (minute: number) => left + (minute / last) * room.width
  const y = (value: number) => 30 + room.height * (1 - value / top)
  const path = ({ colour, pick }: Line) => {
    const points = samples.map((sample) => `${x(sample.minute).toFixed(1)},${y(pick(sample)).toFixed(1)}`).join(" ")
    return `<polyline points="${points}" fill="none" stroke="${colour}" stroke-width="1.5"/>`
  }
  return `<g transform="translate(0 ${index * height})">
${text(left, 20, title)}
<rect x="${left}" y="30" width="${room.width}" height="${room.height}" fill="none" stroke="#ccc"/>
${text(left - 6, 40, top.toFixed(0), 'text-anchor="end"')}
${text(left - 6, 30 + room.height, "0", 'text-anchor="end"')}
${text(left + room.width, 45 + room.height, `${last.toFixed(1)} min`, 'text-anchor="end"')}
${lines.map(path).join("\n")}
</g>`
}

export const drawing = (samples: ReadonlyArray<Sample>): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height * panels.length}">
<rect width="100%" height="100%" fill="white"/>
${panels.map((one, index) => panel(one, samples, index)).join("\n")}
</svg>`

/** A font of our own: a machine without any would leave the words out. */
const font = createRequire(import.meta.url).resolve("dejavu-fonts-ttf/ttf/DejaVuSans.ttf")

export const png = (svg: string): Uint8Array =>
  new Resvg(svg, { font: { fontFiles: [font], loadSystemFonts: false, defaultFontFamily: "DejaVu Sans" } })
    .render()
    .asPng()
