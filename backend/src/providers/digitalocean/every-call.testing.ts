import type { DigitalOcean } from './client.ts'
import { ensureFirewalls } from './firewall.ts'
import { missingScopes } from './scopes.ts'

const ENVIRONMENT = 'abcdef012345'
const direct = (port: number) => ({ port, sources: ['203.0.113.9'] })

/** Asks everything that the client can ask, in an order in which it can be. @param later Lets what is under way come to its end. */
export async function askEverything(client: DigitalOcean, later: () => void, signal: AbortSignal): Promise<void> {
  await missingScopes(client, signal)
  await client.teamId(signal)
  await client.regions(signal)
  await client.sizes(signal)
  await client.images(signal)
  await ensureFirewalls(client, ENVIRONMENT, direct(30_000), signal)
  await ensureFirewalls(client, ENVIRONMENT, direct(30_001), signal) // replaces one
  const { id } = await client.createDroplet(
    {
      name: 'agentopia-alpha-0123ab',
      region: 'fra1',
      size: 's-1vcpu-1gb',
      image: 'debian-12-x64',
      user_data: '#!/bin/sh\n',
      tags: ['agentopia-toolbox', `agentopia-env-${ENVIRONMENT}`],
      monitoring: false,
      backups: false,
      ipv6: false,
    },
    signal,
  )
  later()
  await client.dropletsByTag('agentopia-toolbox', signal)
  for (const type of ['reboot', 'power_cycle', 'shutdown', 'power_off'] as const) {
    const action = await client.act(id, { type }, signal)
    await client.action(id, action.id, signal) // under way
    later()
    await client.action(id, action.id, signal) // done
  }
  for (const body of [
    { type: 'resize', size: 's-1vcpu-2gb', disk: false },
    { type: 'power_on' },
    { type: 'rebuild', image: 'debian-12-x64' },
    { type: 'snapshot', name: 'agentopia-golden' },
  ] as const) {
    await client.act(id, body, signal)
    later()
  }
  await client.actions(id, signal)
  const [snapshot] = await client.snapshots(signal)
  await client.act(id, { type: 'rebuild', image: Number(snapshot?.id) }, signal)
  later()
  await client.ensureTag('agentopia-boot-00', signal)
  await client.tagDroplet('agentopia-boot-00', id, signal)
  await client.droplet(id, signal)
  await client.untagDroplet('agentopia-boot-00', id, signal)
  await client.deleteTag('agentopia-boot-00', signal)
  const ip = await client.reserveIp(id, signal)
  await client.reservedIps(signal)
  await client.unassignIp(ip, signal)
  await client.reservedIps(signal)
  await client.assignIp(ip, id, signal)
  await client.unassignIp(ip, signal)
  await client.releaseIp(ip, signal)
  await client.deleteSnapshot(snapshot?.id ?? '', signal)
  await client.destroyDroplet(id, signal)
  await client.droplet(id, signal) // there is none any more
}
