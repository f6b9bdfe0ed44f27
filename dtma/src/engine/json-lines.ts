import type { Readable } from 'node:stream'

const MAX_LINE_CHARS = 1024 * 1024

/** Parses newline-delimited JSON as it arrives. A line that is no JSON ends the iteration with an error. */
export async function* jsonLines(source: Readable): AsyncGenerator<unknown> {
  source.setEncoding('utf8')
  let rest = ''
  for await (const chunk of source) {
    const lines = (rest + String(chunk)).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > MAX_LINE_CHARS) throw new Error('A line of the stream is longer than 1 MiB')
    for (const line of lines) if (line.trim() !== '') yield JSON.parse(line)
  }
  if (rest.trim() !== '') yield JSON.parse(rest)
}
