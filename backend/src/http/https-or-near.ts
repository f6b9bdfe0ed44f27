import { isIP } from 'node:net'
import { hostOf } from './host-of.ts'
import { isPublicAddress } from './public-address.ts'

/** Can nobody on the public network read or change what goes there? By https, or to a loopback or private address. */
export function isHttpsOrNear(text: string): boolean {
  const url = new URL(text)
  const address = hostOf(url)
  if (url.protocol === 'https:' || address === 'localhost') return true
  return isIP(address) !== 0 && !isPublicAddress(address)
}
