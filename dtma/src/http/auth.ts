import { hash, timingSafeEqual } from 'node:crypto'
import { problem } from '../contract/problems.ts'

/**
 * Lets a request in, or throws. Without a key nobody is let in: a DTMA that was not told whom to trust trusts nobody.
 * @param authorization The header, if any.
 * @throws {ProblemError} `unconfigured` or `unauthenticated`.
 */
export function admit(authorization: string | undefined, key: string | undefined): void {
  if (key === undefined) throw problem('unconfigured', 'No BACKEND_TO_DTMA_API_KEY is known to this DTMA yet')
  const presented = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
  if (presented === undefined) throw problem('unauthenticated', 'The request carries no bearer token')
  if (!timingSafeEqual(digestOf(presented), digestOf(key)))
    throw problem('unauthenticated', 'The bearer token is wrong')
}

/** Digests are of one length, as the comparison wants, and tell nothing of the length of the key. */
const digestOf = (text: string): Buffer => hash('sha256', text, 'buffer')
