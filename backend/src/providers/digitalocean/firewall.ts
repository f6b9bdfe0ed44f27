import type { NewFirewall } from './api.types.ts'
import type { DigitalOcean } from './client.ts'
import { environmentTag, firewallName } from './droplet-names.ts'

const ANYWHERE = { addresses: ['0.0.0.0/0', '::/0'] } as const

/** Nothing comes in: DTMA dials out. Holds for every droplet with the tag of the environment. */
const firewallOf = (environment: string): NewFirewall => ({
  name: firewallName(environment),
  tags: [environmentTag(environment)],
  inbound_rules: [],
  outbound_rules: [
    { protocol: 'tcp', ports: '0', destinations: ANYWHERE },
    { protocol: 'udp', ports: '0', destinations: ANYWHERE },
    { protocol: 'icmp', ports: '0', destinations: ANYWHERE }, // its description wants ports of every protocol
  ],
})

/** Before the first droplet, so that none is open for a moment. Repeatable. */
export async function ensureFirewall(client: DigitalOcean, environment: string, signal: AbortSignal): Promise<void> {
  if (await client.firewallByName(firewallName(environment), signal)) return
  await client.ensureTag(environmentTag(environment), signal) // a firewall may name only tags that exist
  await client.createFirewall(firewallOf(environment), signal)
}
