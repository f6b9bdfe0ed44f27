/** Where a command writes: data to stdout, everything meant for people's patience to stderr. */
export interface Output {
  /** The result: as JSON with `--json`, else as `render` says. */
  result<Data>(data: Data, render: (data: Data) => string): void
  /** One event of a stream: one JSON document a line with `--json`. */
  event<Data>(data: Data, render: (data: Data) => string): void
  /** Progress and hints; silent with `--json`. */
  note(text: string): void
}

export interface Streams {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
}

export const createOutput = (json: boolean, { out, err }: Streams): Output => ({
  result: (data, render) => out(json ? `${asJson(data, 2)}\n` : withNewline(printableLines(render(data)))),
  event: (data, render) => out(json ? `${asJson(data)}\n` : withNewline(printableLines(render(data)))),
  note: (text) => {
    if (!json) err(`${printableLines(text)}\n`)
  },
})

/** JSON leaves some control characters as they are, which a terminal obeys. */
export const asJson = (data: unknown, indent?: number): string =>
  JSON.stringify(data, null, indent).replace(/[\u007f-\u009f]/g, escaped)

/** Whoever rendered it may have overlooked a stranger's word: no command has to remember it for each. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n')

const escaped = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`

const withNewline = (text: string): string => (text === '' || text.endsWith('\n') ? text : `${text}\n`)

/** Columns under headings, padded to the widest cell; control characters of strangers' text are made visible. */
export function table(
  headings: readonly string[],
  rows: readonly (readonly (string | number | undefined)[])[],
): string {
  const cells = [headings, ...rows].map((row) => row.map((cell) => printable(String(cell ?? '–'))))
  const widths = headings.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** `label  value` lines; absent values are left out. */
export function facts(
  pairs: readonly (readonly [label: string, value: string | number | boolean | undefined])[],
): string {
  const present = pairs.filter(([, value]) => value !== undefined)
  const width = Math.max(...present.map(([label]) => label.length))
  return present.map(([label, value]) => `${label.padEnd(width)}  ${printable(String(value))}`).join('\n')
}

/** Text of a tool or a toolbox must not move the cursor or change colours. */
export const printable = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  text.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/g, (char) =>
    char === '\n' || char === '\t' ? ' ' : escaped(char),
  )
