/** One piece of what a tool answered, as it can be shown. */
export type ResultBlock =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'image'; readonly source: string }
  | { readonly kind: 'other'; readonly what: string; readonly value: unknown }

/** Only pixels: an SVG is a document, and a stranger's. */
const IMAGE_TYPES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp']

/** An MCP result in pieces. Whatever the tool sent, nothing of it is run or followed. */
export function resultBlocks(result: Readonly<Record<string, unknown>>): readonly ResultBlock[] {
  const { content, structuredContent } = result
  const blocks = Array.isArray(content) ? content.map(blockOf) : []
  const structured: ResultBlock[] = structuredContent === undefined ? [] : [{ kind: 'json', value: structuredContent }]
  return blocks.length + structured.length === 0 ? [{ kind: 'json', value: result }] : [...structured, ...blocks]
}

function blockOf(item: unknown): ResultBlock {
  if (typeof item !== 'object' || item === null) return { kind: 'json', value: item }
  const { type, text, data, mimeType } = item as Record<string, unknown>
  if (type === 'text' && typeof text === 'string') return textOrJson(text)
  if (type === 'image' && typeof data === 'string' && IMAGE_TYPES.includes(String(mimeType)) && isBase64(data))
    return { kind: 'image', source: `data:${String(mimeType)};base64,${data}` }
  return { kind: 'other', what: typeof type === 'string' ? type : 'unknown', value: item }
}

function textOrJson(text: string): ResultBlock {
  if (!/^\s*[[{]/.test(text)) return { kind: 'text', text }
  try {
    return { kind: 'json', value: JSON.parse(text) as unknown }
  } catch {
    return { kind: 'text', text } // only looked like it
  }
}

const isBase64 = (data: string): boolean => /^[A-Za-z0-9+/]+={0,2}$/.test(data)
