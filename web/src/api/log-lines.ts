import type { LogLine } from '@agentopia/api'

export interface NumberedLine extends LogLine {
  /** Grows by one with each line that arrived. */
  readonly number: number
}

/** Older lines than this are forgotten by the page; the toolbox still has them. */
export const MOST_LINES = 10_000

/** Adds lines; those that came again after a reconnect are known by their time and text. */
export function appendLines(known: readonly NumberedLine[], arrived: readonly LogLine[]): readonly NumberedLine[] {
  const recent = new Set(known.slice(-200).map(identity))
  const fresh = arrived.filter((line) => !recent.has(identity(line)))
  if (fresh.length === 0) return known
  const next = (known.at(-1)?.number ?? 0) + 1
  const all = [...known, ...fresh.map((line, index) => ({ ...line, number: next + index }))]
  return all.length > MOST_LINES ? all.slice(-MOST_LINES) : all
}

const identity = ({ at, stream, line }: LogLine): string => `${at} ${stream} ${line}`

/** The lines of a stream that hold a text, whatever its case. */
export function matchingLines(
  lines: readonly NumberedLine[],
  { text, stream }: { readonly text: string; readonly stream: 'all' | LogLine['stream'] },
): readonly NumberedLine[] {
  const wanted = text.toLowerCase()
  if (wanted === '' && stream === 'all') return lines
  return lines.filter(
    (line) => (stream === 'all' || line.stream === stream) && line.line.toLowerCase().includes(wanted),
  )
}

/** A line in parts, those that match marked. */
export function markedParts(line: string, text: string): readonly { readonly text: string; readonly hit: boolean }[] {
  if (text === '') return [{ text: line, hit: false }]
  const parts: { text: string; hit: boolean }[] = []
  const lower = line.toLowerCase()
  const wanted = text.toLowerCase()
  let from = 0
  for (let at = lower.indexOf(wanted); at !== -1 && parts.length < 100; at = lower.indexOf(wanted, from)) {
    if (at > from) parts.push({ text: line.slice(from, at), hit: false })
    parts.push({ text: line.slice(at, at + wanted.length), hit: true })
    from = at + wanted.length
  }
  if (from < line.length) parts.push({ text: line.slice(from), hit: false })
  return parts
}

/** A line as it is read: without the codes by which terminals colour text. */
export const plainText = (line: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  line.replaceAll(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, '')
