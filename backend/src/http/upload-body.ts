import { problem } from '@agentopia/api'

/**
 * Reads the bytes of a request, counting as they come: more than the limit are never held.
 * @throws {ProblemError} `invalid-request` when they are none by their type, or none at all; `payload-too-large`.
 */
export async function readUpload(request: Request, mostBytes: number): Promise<Uint8Array> {
  const type = request.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase()
  if (type !== 'application/octet-stream')
    throw problem('invalid-request', 'body: send bytes, with the content type application/octet-stream')
  const tooLarge = () => problem('payload-too-large', `The body is larger than ${mostBytes} bytes`)
  if (Number(request.headers.get('content-length') ?? 0) > mostBytes) throw tooLarge()
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of request.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > mostBytes) throw tooLarge()
    chunks.push(chunk)
  }
  if (bytes === 0) throw problem('invalid-request', 'body: there are no bytes')
  return Buffer.concat(chunks, bytes)
}
