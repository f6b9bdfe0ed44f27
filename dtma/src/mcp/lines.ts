import { StringDecoder } from 'node:string_decoder'

const NEWLINE = 0x0a

/**
 * Cuts bytes into lines. A line longer than `maxBytes` is dropped whole, so that endless output costs no more memory than one line.
 * @param onLine Called with each line, without its end; empty lines are left out.
 * @param onDropped Called once for each line that was too long.
 */
export function createLineReader(
  maxBytes: number,
  onLine: (line: string) => void,
  onDropped: () => void,
): (chunk: Buffer) => void {
  let decoder = new StringDecoder('utf8')
  let text = ''
  let bytes = 0
  let dropping = false

  function take(part: Buffer): void {
    if (dropping) return
    bytes += part.length
    if (bytes <= maxBytes) {
      text += decoder.write(part)
      return
    }
    dropping = true
    text = ''
    onDropped()
  }

  function end(): void {
    const line = (text + decoder.end()).replace(/\r$/, '')
    if (!dropping && line !== '') onLine(line)
    decoder = new StringDecoder('utf8')
    text = ''
    bytes = 0
    dropping = false
  }

  return (chunk) => {
    let from = 0
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
      take(chunk.subarray(from, at))
      end()
      from = at + 1
    }
    if (from < chunk.length) take(chunk.subarray(from))
  }
}
