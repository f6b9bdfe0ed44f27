import type { Writable } from 'node:stream'

/** Writes lines to a stream, those of one turn of the event loop in one piece. */
export interface GatheredLines {
  write(line: string): void
  /** Bytes that the stream has not taken yet, about. */
  readonly waiting: number
}

/**
 * Each write to a container wakes the Engine and what it keeps beside the container, which costs more than the line itself: the
 * calls that came together go on together. A single one waits for nothing but the rest of its turn.
 */
export function createGatheredLines(stream: Writable): GatheredLines {
  let gathered = ''

  function flush(): void {
    const text = gathered
    gathered = ''
    if (!stream.destroyed) stream.write(text)
  }

  return {
    write(line) {
      if (gathered === '') setImmediate(flush)
      gathered += `${line}\n`
    },
    get waiting() {
      return stream.writableLength + gathered.length
    },
  }
}
