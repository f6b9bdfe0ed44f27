/**
 * Makes a stream's three ends of a line (CRLF, CR, LF) one: LF. For a parser that, where there is one CR, looks for the next at
 * each line to the end of what came: a few megabytes of empty lines a second would take all the time of DTMA.
 * @returns For each piece of the stream, in order, what to hand on.
 */
export function createLineEnds(): (piece: string) => string {
  let afterReturn = false
  return (piece) => {
    const text = afterReturn && piece.startsWith('\n') ? piece.slice(1) : piece
    if (piece !== '') afterReturn = piece.endsWith('\r')
    return text.includes('\r') ? text.replaceAll(/\r\n?/g, '\n') : text
  }
}
