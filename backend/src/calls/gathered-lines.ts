/** Lines on their way to a file. */
export interface GatheredLines {
  /** Resolves when the line is written, at the end of this turn of the event loop. @throws What writing threw, to each line of the piece. */
  add(line: string): Promise<void>
  /** Writes at once what waits. Never throws: whoever added a line hears of it. */
  flush(): void
}

interface Piece {
  readonly lines: string[]
  readonly written: PromiseWithResolvers<void>
}

/**
 * Lines of one turn of the event loop go in one piece: with many calls under way, to ask the kernel for each line costs more than the line.
 * Each line brings its own beginning, so that half a line, of a crash, spoils no other.
 */
export function gatherLines(write: (text: string) => void): GatheredLines {
  let piece: Piece | undefined

  function flush(): void {
    if (!piece) return
    const { lines, written } = piece
    piece = undefined
    try {
      write(lines.map((line) => `\n${line}`).join(''))
      written.resolve()
    } catch (error) {
      written.reject(error)
    }
  }

  return {
    add(line) {
      if (!piece) {
        piece = { lines: [], written: Promise.withResolvers() }
        setImmediate(flush)
      }
      piece.lines.push(line)
      return piece.written.promise
    },
    flush,
  }
}
