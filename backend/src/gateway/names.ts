import { createHash } from 'node:crypto'

/** Longest name that every client takes. */
const LONGEST = 64
const SEPARATOR = '__'
const DIGEST = 8

/**
 * The name of a capability at the gateway: `<instance name>__<capability>`. What is too long, or holds characters that clients
 * refuse, is shortened and ends in a digest. It is looked up, never taken apart.
 */
export function gatewayNameOf(instanceName: string, capability: string): string {
  const plain = `${instanceName}${SEPARATOR}${capability}`
  if (plain.length <= LONGEST && /^[A-Za-z0-9_-]+$/.test(plain)) return plain
  const digest = createHash('sha256').update(plain).digest('hex').slice(0, DIGEST)
  return `${plain.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, LONGEST - DIGEST - 1)}_${digest}`
}
