/** Deeper JSON than this is nobody's arguments, and costs whoever walks it his stack. */
const MOST_LEVELS = 64

/**
 * JSON that every parser reads alike: UTF-8, no byte order mark, no key twice in one object, not deep.
 * @throws {SyntaxError} Saying what is wrong with it; nothing is repaired.
 */
export function parseStrictJson(bytes: Uint8Array): unknown {
  const text = decode(bytes)
  const value: unknown = JSON.parse(text)
  refuseAmbiguity(text)
  return value
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decode(bytes: Uint8Array): string {
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch (cause) {
    throw new SyntaxError('the text is not UTF-8', { cause })
  }
  if (text.startsWith('\ufeff')) throw new SyntaxError('the text begins with a byte order mark')
  return text
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST, COMMA] = [0x7b, 0x7d, 0x5b, 0x5d, 0x2c]

/** Walks over a text that is known to be JSON, looking at its keys and its depth only. */
function refuseAmbiguity(text: string): void {
  /** The keys of each open object; `undefined` for an open list. */
  const open: (Set<string> | undefined)[] = []
  let keyIsNext = false
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      const end = endOfText(text, at)
      if (keyIsNext) claim(open.at(-1)!, text.slice(at, end + 1))
      keyIsNext = false
      at = end
    } else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      if (open.push(code === OPEN_OBJECT ? new Set() : undefined) > MOST_LEVELS)
        throw new SyntaxError(`the text is nested deeper than ${MOST_LEVELS} levels`)
      keyIsNext = code === OPEN_OBJECT
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) {
      open.pop()
      keyIsNext = false
    } else if (code === COMMA) keyIsNext = open.at(-1) !== undefined
  }
}

function claim(keys: Set<string>, quoted: string): void {
  const key = quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1)
  if (keys.has(key)) throw new SyntaxError(`the key ${JSON.stringify(key.slice(0, 40))} comes twice in one object`)
  keys.add(key)
}

/** @returns The position of the closing quote of the text that opens at `from`. */
function endOfText(text: string, from: number): number {
  let at = from + 1
  while (text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1
  return at
}
