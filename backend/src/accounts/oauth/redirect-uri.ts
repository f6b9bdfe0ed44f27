/** Schemes that run or show something instead of leading to a program. */
const NEVER = new Set(['javascript:', 'data:', 'vbscript:', 'blob:', 'file:', 'about:', 'ftp:', 'ws:', 'wss:'])
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])
const LONGEST = 2_000

/**
 * Why a client may not be answered at this address; `undefined` when it may. Allowed are https, http on loopback (native
 * programs, whatever they call their application type), and schemes of a program's own (RFC 8252 §7).
 */
export function refusalOfRedirect(uri: string): string | undefined {
  // A parser drops tabs, line breaks and outer spaces: what is compared must be what is visited.
  if (uri.length > LONGEST || /[\p{Cc}\s\\]/u.test(uri)) return 'is too long, or holds spaces or control characters'
  const url = URL.parse(uri)
  if (!url) return 'is no absolute address'
  if (uri.includes('#')) return 'has a fragment'
  if (url.username !== '' || url.password !== '') return 'holds a user name or a password'
  if (NEVER.has(url.protocol)) return `has the scheme ${url.protocol}`
  if (url.protocol === 'http:' && !isLoopback(url)) return 'is http to another machine: use https'
  return undefined
}

/** As registered, to the character; but a native program may listen on any port of the loopback address (RFC 8252 §7.3). */
export function isRegisteredRedirect(uri: string, registered: readonly string[]): boolean {
  if (refusalOfRedirect(uri) !== undefined) return false
  return registered.some((known) => known === uri || isSameButForThePort(new URL(uri), URL.parse(known)))
}

function isSameButForThePort(asked: URL, known: URL | null): boolean {
  if (known === null || asked.protocol !== 'http:' || !isLoopback(asked)) return false
  const { protocol, hostname, pathname, search } = known
  return protocol === 'http:' && hostname === asked.hostname && pathname === asked.pathname && search === asked.search
}

/** Where an answer goes, for people: the host of a web address, else the scheme. */
export function redirectHostOf(uri: string): string {
  const { protocol, host } = new URL(uri)
  return isWeb(protocol) ? host : protocol
}

/** Does the answer stay on the machine of the person who consents? */
export function staysHere(uri: string): boolean {
  const url = new URL(uri)
  return !isWeb(url.protocol) || isLoopback(url)
}

const isWeb = (protocol: string): boolean => protocol === 'https:' || protocol === 'http:'
const isLoopback = ({ hostname }: URL): boolean => LOOPBACK.has(hostname)

/** The address with these parameters added. */
export function withParameters(uri: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const url = new URL(uri)
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) url.searchParams.set(name, value)
  return url.href
}
