import { withoutHidden } from '../guard/hidden-text.ts'

const LONGEST = 20_000
const MOST_LEVELS = 64

/** A tool's own words, as they may be shown to people and models: nothing hidden, and of bounded length. */
export const cleanText = (text: string): string => withoutHidden(text.toWellFormed()).slice(0, LONGEST)

/** The same for every text and key inside a JSON value; what is nested deeper than anybody needs becomes `null`. */
export function cleanJson<Value>(value: Value, levels = MOST_LEVELS): Value {
  if (typeof value === 'string') return cleanText(value) as Value
  if (typeof value !== 'object' || value === null) return value
  if (levels === 0) return null as Value
  if (Array.isArray(value)) return value.map((inner) => cleanJson(inner, levels - 1)) as Value
  const entries = Object.entries(value).map(([key, inner]) => [cleanText(key), cleanJson(inner, levels - 1)])
  return Object.fromEntries(entries)
}
