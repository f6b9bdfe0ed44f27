/**
 * Characters that people do not see but models read, or that move a terminal's cursor: control and format characters
 * (bidirectional overrides, zero width, tags), separators of lines and paragraphs, variation selectors. Line breaks and tabs stay.
 */
const HIDDEN = /(?![\t\n\r])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Variation_Selector}]/gu

const LONGEST = 20_000
const MOST_LEVELS = 64

/** A tool's own words, as they may be shown to people and models: nothing hidden, and of bounded length. */
export const cleanText = (text: string): string => text.toWellFormed().replaceAll(HIDDEN, '').slice(0, LONGEST)

/** The same for every text and key inside a JSON value; what is nested deeper than anybody needs becomes `null`. */
export function cleanJson<Value>(value: Value, levels = MOST_LEVELS): Value {
  if (typeof value === 'string') return cleanText(value) as Value
  if (typeof value !== 'object' || value === null) return value
  if (levels === 0) return null as Value
  if (Array.isArray(value)) return value.map((inner) => cleanJson(inner, levels - 1)) as Value
  const entries = Object.entries(value).map(([key, inner]) => [cleanText(key), cleanJson(inner, levels - 1)])
  return Object.fromEntries(entries)
}
