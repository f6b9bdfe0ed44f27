import { problem } from '../contract/problems.ts'
import type { HttpRequest } from './exchange.ts'

/** Bytes of a request body; a spec needs a few thousand. */
const BODY_LIMIT = 1024 * 1024

/**
 * @returns `undefined` when there is no body, or none that is JSON.
 * @throws {ProblemError} `payload-too-large`, before the rest of it is read.
 */
export async function readJsonBody({ headers, body }: HttpRequest): Promise<unknown> {
  if (Number(headers['content-length'] ?? 0) > BODY_LIMIT) throw tooLarge()
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > BODY_LIMIT) throw tooLarge()
    chunks.push(chunk)
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)))
  } catch {
    return undefined // not JSON: the same as none, and the contract says what it wants
  }
}

const tooLarge = () => problem('payload-too-large', `The body may have ${BODY_LIMIT} bytes at most`)
