// DIGITALOCEAN_API_DESCRIPTION=<file> npm run check:digitalocean: compares what our client asks, and what the emulator of the tests
// answers, with DigitalOcean's own description of its API (OpenAPI, JSON). The file is theirs and not part of this repository.
import { readFileSync } from 'node:fs'
import { createBudget, createDigitalOcean, ensureFirewalls, missingScopes } from '@agentopia/backend/testing'
import { judgeBy } from '@agentopia/testbed/description'
import { createEmulator } from '@agentopia/testbed/emulator'

const file = process.env['DIGITALOCEAN_API_DESCRIPTION']
if (!file) {
  console.error('DIGITALOCEAN_API_DESCRIPTION names no file: nothing was checked')
  process.exit(64)
}

let now = Date.UTC(2026, 0, 1)
const emulator = createEmulator({ now: () => now, knobs: { bootMs: 0, perMinute: 10_000 } })
const judge = judgeBy(JSON.parse(readFileSync(file, 'utf8')), emulator.fetch)
const { token } = emulator.world
const client = createDigitalOcean({
  baseUrl: 'http://digitalocean',
  token,
  budget: createBudget(() => now, { perMinute: 10_000 }),
  fetch: judge.fetch,
})
const signal = AbortSignal.timeout(60_000)
const later = () => {
  now += 60_000
}

// Everything that the client can ask, in an order in which it can be.
await missingScopes(client, signal)
await client.regions(signal)
await client.sizes(signal)
await client.images(signal)
await ensureFirewalls(client, 'abcdef012345', undefined, signal)
const { id } = await client.createDroplet(
  {
    name: 'agentopia-alpha-0123ab',
    region: 'fra1',
    size: 's-1vcpu-1gb',
    image: 'debian-12-x64',
    user_data: '#!/bin/sh\n',
    tags: ['agentopia-toolbox', 'agentopia-env-abcdef012345'],
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
await client.deleteTag('agentopia-boot-00', signal)
const ip = await client.reserveIp(id, signal)
await client.reservedIps(signal)
await client.unassignIp(ip, signal)
await client.reservedIps(signal)
await client.releaseIp(ip, signal)
await client.deleteSnapshot(snapshot?.id ?? '', signal)
await client.destroyDroplet(id, signal)
await client.droplet(id, signal) // there is none any more

for (const [call, times] of [...judge.called].sort()) {
  const wrong = new Set(judge.complaints.filter((complaint) => complaint.call === call).map(({ what }) => what))
  console.log(`${wrong.size === 0 ? '✔' : '✖'} ${call} (${times})`)
  for (const what of wrong) console.log(`    ${what}`)
}
console.log(`${judge.called.size} operations, ${judge.complaints.length} complaints`)
process.exitCode = judge.complaints.length === 0 ? 0 : 1
