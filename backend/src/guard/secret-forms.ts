/** How a secret value may look inside a text. */
export interface SecretForm {
  readonly text: string
  /** In base64, what replaces it must be base64 of the same length, or what is around it breaks. */
  readonly base64: boolean
}

/** Shorter values cannot be told from what stands in a text by chance. In characters. */
export const SHORTEST_SECRET = 6
/** The same for a form that holds less than the whole value. */
const SHORTEST_FORM = 6

/** A secret as it is, and as JSON, web addresses, base64 and hexadecimal digits write it; longest first. */
export function formsOf(value: string): readonly SecretForm[] {
  const plain = [value, value.trim()].filter((text) => text.length >= SHORTEST_SECRET)
  if (plain.length === 0) return []
  const written = plain.flatMap((text) => {
    const once = inJson(text)
    return [text, once, inJson(once), ...inAddress(text), ...inHex(text)]
  })
  const encoded = plain.flatMap(inBase64)
  const forms = [
    ...[...new Set(written)].map((text) => ({ text, base64: false })),
    ...[...new Set(encoded)].filter((text) => !written.includes(text)).map((text) => ({ text, base64: true })),
  ]
  return forms.toSorted((one, other) => other.text.length - one.text.length)
}

const inJson = (text: string): string => JSON.stringify(text).slice(1, -1)

function inAddress(text: string): string[] {
  const upper = encodeURIComponent(text.toWellFormed())
  const lower = upper.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())
  const form = new URLSearchParams([['', text]]).toString().slice(1)
  return [upper, lower, form]
}

function inHex(text: string): string[] {
  const hex = Buffer.from(text, 'utf8').toString('hex')
  return [hex, hex.toUpperCase()]
}

/**
 * Base64 of a longer text that holds the value somewhere: three bytes become four characters, so there are three ways to
 * stand in it. Characters that also depend on what stands before or after are left out.
 */
function inBase64(text: string): string[] {
  const bytes = Buffer.from(text, 'utf8')
  return [0, 1, 2].flatMap((before) => {
    const padded = Buffer.concat([Buffer.alloc(before), bytes])
    const from = Math.ceil((before * 8) / 6)
    const to = Math.floor((padded.length * 8) / 6)
    return (['base64', 'base64url'] as const)
      .map((alphabet) => padded.toString(alphabet).slice(from, to))
      .filter((form) => form.length >= SHORTEST_FORM)
  })
}
