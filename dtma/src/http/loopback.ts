import { isIP } from 'node:net'

/** Whether an address or name is met from this machine alone. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' ||
  host === '::1' ||
  (isIP(host) === 4 && host.startsWith('127.')) ||
  host.startsWith('::ffff:127.')
