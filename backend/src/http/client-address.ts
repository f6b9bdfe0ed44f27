import { BlockList, isIP } from 'node:net'
import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'

/**
 * Which proxies stand before us: a number of them, or their addresses and networks. What they write into
 * `X-Forwarded-For` is believed; what was in it before they saw it is anybody's word.
 */
export type TrustedProxies = number | BlockList

/**
 * Whose request it is, for limits: an IPv4 address, or the /64 of an IPv6 one; `unknown` when there is no connection behind it, as
 * in tests. Who has one address of IPv6 has 2^64 of them, and would be another client each time.
 */
export type ClientAddress = (c: Context) => string

export const createClientAddress =
  (trusted: TrustedProxies = 0): ClientAddress =>
  (c) =>
    ownerOf(clientOf(peerOf(c), c.req.header('x-forwarded-for'), trusted))

/** @throws {Error} When it names neither a number of proxies nor addresses; the message is for whoever configured it. */
export function parseTrustedProxies(text: string): TrustedProxies {
  if (/^\d{1,2}$/.test(text)) return Number(text)
  const list = new BlockList()
  for (const part of text.split(',').map((one) => one.trim())) {
    const [address = '', prefix, ...more] = part.split('/')
    const family = isIP(address)
    const bits = prefix === undefined ? (family === 4 ? 32 : 128) : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1
    if (family === 0 || more.length > 0 || bits < 0 || bits > (family === 4 ? 32 : 128))
      throw new Error('must be a number of proxies, or addresses and networks separated by commas')
    list.addSubnet(address, bits, family === 4 ? 'ipv4' : 'ipv6')
  }
  return list
}

/** Pure. The header is read from its end: each proxy adds the address that it saw. */
export function clientOf(peer: string, forwardedFor: string | undefined, trusted: TrustedProxies): string {
  const seen = (forwardedFor ?? '').split(',').map((one) => plainAddress(one.trim()))
  let client = plainAddress(peer)
  for (let hops = 0; isTrusted(client, hops, trusted); hops += 1) {
    const before = seen.pop()
    if (before === undefined || isIP(before) === 0) return client // the proxy says nothing that could be believed
    client = before
  }
  return client
}

/** The part of an address that its owner cannot choose. */
export function ownerOf(address: string): string {
  if (isIP(address) !== 6) return address
  const [head = '', tail] = (address.split('%', 1)[0] ?? '').split('::')
  const groupsOf = (part: string) => part.split(':').filter((group) => group !== '')
  const first = groupsOf(head)
  const missing = tail === undefined ? 0 : 8 - first.length - groupsOf(tail).length
  const whole = [...first, ...Array<string>(Math.max(missing, 0)).fill('0'), ...groupsOf(tail ?? '')]
  return `${whole
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}

function isTrusted(address: string, hops: number, trusted: TrustedProxies): boolean {
  if (typeof trusted === 'number') return hops < trusted
  const family = isIP(address)
  return family !== 0 && trusted.check(address, family === 4 ? 'ipv4' : 'ipv6')
}

/** Without port and brackets, and an IPv4 address as such: the same client has one name. */
function plainAddress(text: string): string {
  const inBrackets = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1]
  const withoutPort = inBrackets ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text
  return withoutPort.replace(/^::ffff:(?=[\d.]+$)/i, '')
}

const peerOf = (c: Context): string =>
  (c.env as Partial<HttpBindings> | undefined)?.incoming?.socket?.remoteAddress ?? 'unknown'
