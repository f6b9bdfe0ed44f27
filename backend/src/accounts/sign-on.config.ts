import { readFileSync } from 'node:fs'
import type { Role } from '@agentopia/api'

/** The OpenID provider by which people of a company sign in. */
export interface SignOnConfig {
  readonly issuer: string
  readonly clientId: string
  /** Absent: the client is known to the provider as a public one. */
  readonly clientSecret?: string
  /** In lower case. People with an address of these come in without an invitation. */
  readonly domains: readonly string[]
  /** As what they come in. */
  readonly role: Exclude<Role, 'owner'>
  /** What the button says after "Sign in with". */
  readonly label: string
}

/** What the environment says of it, parsed. */
interface SignOnEnvironment {
  readonly OIDC_ISSUER?: string | undefined
  readonly OIDC_CLIENT_ID?: string | undefined
  readonly OIDC_CLIENT_SECRET?: string | undefined
  readonly OIDC_CLIENT_SECRET_FILE?: string | undefined
  readonly OIDC_DOMAINS: readonly string[]
  readonly OIDC_ROLE: Exclude<Role, 'owner'>
  readonly OIDC_LABEL: string
}

/** @throws {Error} When the file of the secret cannot be read, or is empty. The message holds nothing of it. */
export function signOnOf(e: SignOnEnvironment): SignOnConfig | undefined {
  if (e.OIDC_ISSUER === undefined || e.OIDC_CLIENT_ID === undefined) return undefined
  const clientSecret = e.OIDC_CLIENT_SECRET ?? (e.OIDC_CLIENT_SECRET_FILE && readSecret(e.OIDC_CLIENT_SECRET_FILE))
  return {
    issuer: e.OIDC_ISSUER,
    clientId: e.OIDC_CLIENT_ID,
    ...(clientSecret ? { clientSecret } : {}),
    domains: e.OIDC_DOMAINS,
    role: e.OIDC_ROLE,
    label: e.OIDC_LABEL,
  }
}

/** An address that others cannot read along at: https, or this machine. */
export function isSafeIssuer(address: string): boolean {
  const url = URL.parse(address)
  if (!url || url.username || url.password || url.search || url.hash) return false
  return (
    url.protocol === 'https:' ||
    (url.protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname))
  )
}

function readSecret(path: string): string {
  const secret = readFileSync(path, 'utf8').trim()
  if (secret === '') throw new Error('the file is empty')
  return secret
}
