import type { DigitalOcean } from './client.ts'
import { DigitalOceanError } from './digitalocean-error.ts'

/** Every right that is needed, and a request that changes nothing which is refused without it. */
const PROBES = [
  { scope: 'account:read', method: 'GET', path: '/account' },
  { scope: 'regions:read', method: 'GET', path: '/regions?per_page=1' },
  { scope: 'sizes:read', method: 'GET', path: '/sizes?per_page=1' },
  { scope: 'image:read', method: 'GET', path: '/images?per_page=1' },
  { scope: 'droplet:read', method: 'GET', path: '/droplets?per_page=1' },
  // Without a name, a size and an image nothing is made.
  { scope: 'droplet:create', method: 'POST', path: '/droplets' },
  // There is no droplet 0.
  { scope: 'droplet:delete', method: 'DELETE', path: '/droplets/0' },
  { scope: 'droplet:update', method: 'POST', path: '/droplets/0/actions' },
  { scope: 'snapshot:read', method: 'GET', path: '/snapshots?per_page=1' },
  // There is no snapshot 0, and no address of this kind is ours.
  { scope: 'snapshot:delete', method: 'DELETE', path: '/snapshots/0' },
  { scope: 'reserved_ip:read', method: 'GET', path: '/reserved_ips?per_page=1' },
  { scope: 'reserved_ip:create', method: 'POST', path: '/reserved_ips' },
  { scope: 'reserved_ip:update', method: 'POST', path: '/reserved_ips/192.0.2.1/actions' },
  { scope: 'reserved_ip:delete', method: 'DELETE', path: '/reserved_ips/192.0.2.1' },
  { scope: 'tag:create', method: 'POST', path: '/tags' },
  { scope: 'tag:delete', method: 'DELETE', path: '/tags/agentopia-no-such-tag' },
  { scope: 'firewall:read', method: 'GET', path: '/firewalls?per_page=1' },
  { scope: 'firewall:create', method: 'POST', path: '/firewalls' },
  // No firewall has this id.
  { scope: 'firewall:update', method: 'PUT', path: '/firewalls/00000000-0000-4000-8000-000000000000' },
] as const

/** @throws {DigitalOceanError} `unauthorized` for a token that is none. */
export async function missingScopes(client: DigitalOcean, signal: AbortSignal): Promise<string[]> {
  const missing: string[] = []
  for (const { scope, method, path } of PROBES) if (!(await client.mayCall(method, path, signal))) missing.push(scope)
  return missing
}

/** Uuid of the team whose token it is. @returns `undefined` for a token that may not say it: it lacks `account:read`. @throws {DigitalOceanError} */
export function teamOf(client: DigitalOcean, signal: AbortSignal): Promise<string | undefined> {
  return client.teamId(signal).catch((error: unknown) => {
    if (error instanceof DigitalOceanError && error.kind === 'forbidden') return undefined
    throw error
  })
}
