import { OAuthError } from './oauth-error.ts'

const MOST_BYTES = 16_384

/**
 * Reads a form as OAuth's endpoints take it: every parameter at most once, none of them empty.
 * @throws {OAuthError} `invalid_request`.
 */
export async function readForm(request: Request): Promise<ReadonlyMap<string, string>> {
  const type = request.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase()
  if (type !== 'application/x-www-form-urlencoded')
    throw new OAuthError('invalid_request', 'Send a form: application/x-www-form-urlencoded')
  const form = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(await readText(request))) {
    if (form.has(name)) throw new OAuthError('invalid_request', 'A parameter is given more than once')
    if (value.includes('\0')) throw new OAuthError('invalid_request', 'A parameter holds U+0000')
    if (value !== '') form.set(name, value)
  }
  return form
}

async function readText(request: Request): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of request.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > MOST_BYTES) throw new OAuthError('invalid_request', `The form is larger than ${MOST_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
