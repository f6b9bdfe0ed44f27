import { problem } from '@agentopia/api'

/** The largest JSON body that is read, in bytes. */
export const BODY_LIMIT = 1_048_576

/**
 * Reads a JSON body, counting as it comes: what is larger than the limit is never held.
 * @throws {ProblemError} `invalid-request` for what is no JSON, or no JSON by its type; `payload-too-large`.
 */
export async function readJsonBody(request: Request): Promise<unknown> {
  const type = request.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase()
  if (type !== 'application/json')
    throw problem('invalid-request', 'body: send JSON, with the content type application/json')
  if (Number(request.headers.get('content-length') ?? 0) > BODY_LIMIT) throw tooLarge()
  return parsed(await readText(request))
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw problem('invalid-request', 'body: this is no JSON', { cause })
  }
}

async function readText(request: Request): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of request.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > BODY_LIMIT) throw tooLarge()
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

const tooLarge = () => problem('payload-too-large', `The body is larger than ${BODY_LIMIT} bytes`)

/**
 * @returns `value`.
 * @throws {ProblemError} `invalid-request` when a text in it is none that PostgreSQL can hold: with U+0000, or half a surrogate pair.
 */
export function storable<Value>(part: 'params' | 'query' | 'body', value: Value): Value {
  const open: unknown[] = [value] // not by recursion: a body may be nested as deep as it is long
  while (open.length > 0) {
    const next = open.pop()
    if (typeof next === 'string' && (next.includes('\0') || !next.isWellFormed()))
      throw problem('invalid-request', `${part}: a text holds U+0000 or half a character`)
    if (next !== null && typeof next === 'object') {
      for (const [key, inner] of Object.entries(next)) open.push(key, inner)
    }
  }
  return value
}
