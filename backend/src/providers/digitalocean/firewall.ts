import type { Firewall, NewFirewall } from './api.types.ts'
import type { DigitalOcean } from './client.ts'
import { directFirewallName, directTag, environmentTag, firewallName } from './droplet-names.ts'

const ANYWHERE = { addresses: ['0.0.0.0/0', '::/0'] } as const

const OUTBOUND: NewFirewall['outbound_rules'] = [
  { protocol: 'tcp', ports: '0', destinations: ANYWHERE },
  { protocol: 'udp', ports: '0', destinations: ANYWHERE },
  { protocol: 'icmp', ports: '0', destinations: ANYWHERE }, // its description wants ports of every protocol
]

/** Nothing comes in: DTMA dials out. Holds for every droplet with the tag of the environment. */
const firewallOf = (environment: string): NewFirewall => ({
  name: firewallName(environment),
  tags: [environmentTag(environment)],
  inbound_rules: [],
  outbound_rules: OUTBOUND,
})

/** Before the first droplet, so that none is open for a moment. Repeatable. */
export async function ensureFirewall(client: DigitalOcean, environment: string, signal: AbortSignal): Promise<void> {
  if (await client.firewallByName(firewallName(environment), signal)) return
  await client.ensureTag(environmentTag(environment), signal) // a firewall may name only tags that exist
  await client.createFirewall(firewallOf(environment), signal)
}

export interface DirectOpening {
  readonly port: number
  /** Who may come in; nobody else. */
  readonly sources: readonly string[]
}

/** Opens DTMA's port to the control plane, for droplets of the direct road. What it was open to before is shut. Repeatable. */
export async function ensureDirectFirewall(
  client: DigitalOcean,
  environment: string,
  { port, sources }: DirectOpening,
  signal: AbortSignal,
): Promise<void> {
  const wanted: NewFirewall = {
    name: directFirewallName(environment),
    tags: [directTag(environment)],
    inbound_rules: [{ protocol: 'tcp', ports: String(port), sources: { addresses: sources } }],
    outbound_rules: OUTBOUND,
  }
  const present = await client.firewallByName(wanted.name, signal)
  if (present && isAs(present, wanted)) return
  if (present) return client.replaceFirewall(present.id, wanted, signal)
  await client.ensureTag(directTag(environment), signal)
  await client.createFirewall(wanted, signal)
}

/** Rules have an order that means nothing. */
function isAs(present: Firewall, wanted: NewFirewall): boolean {
  const texts = (rules: Firewall['inbound_rules'] | NewFirewall['inbound_rules']) =>
    rules.map(({ protocol, ports, sources }) => [protocol, ports, [...(sources?.addresses ?? [])].sort()].join()).sort()
  return texts(present.inbound_rules).join('\n') === texts(wanted.inbound_rules).join('\n')
}
