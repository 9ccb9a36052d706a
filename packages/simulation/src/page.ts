/** A Markdown page of a title, paragraphs, headings and lists. */
export interface Block {
  readonly line: number
  readonly kind: "title" | "heading" | "item" | "paragraph"
  readonly text: string
}

const signs = { "# ": "title", "## ": "heading", "- ": "item" } as const

/** The blocks of a page. A line that goes on belongs to what it goes on with. */
export const blocksOf = (page: string): ReadonlyArray<Block> => {
  const blocks: Array<Block> = []
  let open = false
  for (const [index, line] of page.split("\n").entries()) {
    const text = line.trim()
    const [sign, kind] = Object.entries(signs).find(([start]) => line.startsWith(start)) ?? ["", "paragraph" as const]
    const last = blocks.at(-1)
    if (text === "") open = false
    else if (kind === "paragraph" && open && last !== undefined) {
      blocks[blocks.length - 1] = { ...last, text: `${last.text} ${text}` }
    } else {
      blocks.push({ line: index + 1, kind, text: line.slice(sign.length).trim() })
      open = kind === "item" || kind === "paragraph"
    }
  }
  return blocks
}
