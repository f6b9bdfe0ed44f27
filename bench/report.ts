/** How results are printed: for people, for programs, for `docs/benchmarks.md`. */
export type Format = 'text' | 'json' | 'markdown'

export interface Table {
  readonly title: string
  /** With the same columns in each. */
  readonly rows: readonly Readonly<Record<string, string | number>>[]
}

export function print(tables: readonly Table[], format: Format): void {
  if (format === 'json') console.log(JSON.stringify(tables))
  for (const table of format === 'json' ? [] : tables) {
    if (format === 'markdown') console.log(`${markdownOf(table)}\n`)
    else {
      console.log(`\n${table.title}`)
      console.table(table.rows)
    }
  }
}

function markdownOf({ title, rows }: Table): string {
  const columns = Object.keys(rows[0] ?? {})
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(' | ')} |`
  const ruler = columns.map((column) => (typeof rows[0]![column] === 'number' ? '--:' : '---'))
  return [
    `${title}:`,
    '',
    line(columns),
    line(ruler),
    ...rows.map((row) => line(columns.map((column) => row[column]!))),
  ].join('\n')
}

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!

/** @param values Ascending. @param share 0 to 1. */
export const percentile = (values: readonly number[], share: number): number =>
  values[Math.floor((values.length - 1) * share)]!

/** Of what was measured in the same rounds. */
export const medianOfPairs = (
  mine: readonly number[],
  other: readonly number[],
  of: (mine: number, other: number) => number,
): number => median(mine.map((value, round) => of(value, other[round]!)))

/** Rounded to so many places. */
export const rounded = (value: number, places = 0): number => Number(value.toFixed(places))
