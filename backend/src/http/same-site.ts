/** What tells where a request comes from. */
export interface RequestSource {
  readonly method: string
  /** `Host`, as sent. */
  readonly host: string | undefined
  readonly origin: string | undefined
  /** `Sec-Fetch-Site`: set by browsers, and no page can change it. */
  readonly fetchSite: string | undefined
  readonly hasCookie: boolean
  /** A token in `Authorization`: no other site can make a browser send one. */
  readonly hasAuthorization: boolean
}

/** The names that this control plane answers to. */
export interface OwnNames {
  /** Values of `Host`. */
  readonly hosts: ReadonlySet<string>
  /** Values of `Origin`. */
  readonly origins: ReadonlySet<string>
}

/** @param listen The address and port that are listened on. @param publicUrl An origin. */
export function ownNames(listen: { readonly host: string; readonly port: number }, publicUrl: string): OwnNames {
  const address = listen.host.includes(':') ? `[${listen.host}]` : listen.host
  const local = ['localhost', '127.0.0.1', '[::1]', address].map((name) => new URL(`http://${name}:${listen.port}`))
  const names = [...local, new URL(publicUrl)]
  return { hosts: new Set(names.map(({ host }) => host)), origins: new Set(names.map(({ origin }) => origin)) }
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Why a request is refused as another site's, if it is. Decides; touches nothing.
 *
 * A name that is not ours in `Host` is how a page of a stranger reaches a service on loopback (DNS rebinding). A request
 * that changes something must come from our own page, or carry a token instead of a cookie.
 */
export function refusalOf(source: RequestSource, own: OwnNames): string | undefined {
  const { method, host, origin, fetchSite, hasCookie, hasAuthorization } = source
  if (host === undefined || !own.hosts.has(host.toLowerCase())) return 'This control plane is not known under that host'
  if (SAFE.has(method) || hasAuthorization) return undefined
  if (fetchSite === 'same-origin') return undefined
  if (fetchSite !== undefined) return 'A page of another site sent this request'
  if (origin !== undefined)
    return own.origins.has(origin.toLowerCase()) ? undefined : 'A page of another site sent this request'
  return hasCookie ? 'The request carries a cookie, but does not say which page it comes from' : undefined
}
