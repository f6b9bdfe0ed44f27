import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import type { LogLine } from '../contract/tool.ts'
import { createDemux } from './frames.ts'

/** A longer line is cut here; the rest of it is dropped. */
const MAX_LINE_CHARS = 64 * 1024

/**
 * Reads a container's log as Docker sends it with `timestamps=1`. Each `at` is Docker's own time, RFC 3339 with nine digits of
 * a second, so that two of them compare as text.
 */
export async function* logLines(source: Readable): AsyncGenerator<LogLine> {
  const ready: LogLine[] = []
  const stdout = lineSplitter((text) => ready.push(logLineOf('stdout', text)))
  const stderr = lineSplitter((text) => ready.push(logLineOf('stderr', text)))
  const demux = createDemux((stream, bytes) => (stream === 'stderr' ? stderr : stdout).push(bytes))

  for await (const chunk of source) {
    demux(chunk as Buffer)
    yield* ready.splice(0)
  }
  stdout.end()
  stderr.end()
  yield* ready
}

function lineSplitter(onLine: (text: string) => void): { push(bytes: Buffer): void; end(): void } {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  return {
    push(bytes) {
      const lines = (rest + decoder.write(bytes)).split('\n')
      rest = (lines.pop() ?? '').slice(0, MAX_LINE_CHARS)
      for (const line of lines) onLine(line.slice(0, MAX_LINE_CHARS))
    },
    end() {
      if (rest !== '') onLine(rest)
    },
  }
}

function logLineOf(stream: LogLine['stream'], text: string): LogLine {
  const space = text.indexOf(' ')
  const at = space < 0 ? text : text.slice(0, space)
  const line = space < 0 ? '' : text.slice(space + 1)
  return { at, stream, line: line.endsWith('\r') ? line.slice(0, -1) : line }
}
