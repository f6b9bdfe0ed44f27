/** Escapes that make a text which PostgreSQL cannot hold: U+0000 and halves of surrogate pairs. */
const SUSPICIOUS = /\\u(?:0000|[dD][89a-fA-F])/

/** Parses JSON of a stranger; what no database can hold is taken out of its texts. @returns `undefined` for what is no JSON. */
export function parseCleanJson(text: string): unknown {
  try {
    return SUSPICIOUS.test(text) ? JSON.parse(text, (_, value: unknown) => cleaned(value)) : JSON.parse(text)
  } catch {
    return undefined
  }
}

const cleaned = (value: unknown): unknown =>
  typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '\u{fffd}') : value
