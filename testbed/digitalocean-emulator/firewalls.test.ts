import { expect, test } from 'vitest'
import { createEmulator } from './emulator.ts'
import { guardsOf } from './firewalls.ts'
import { noMachines } from './machines.ts'

const PLACE = { size: 's-1vcpu-1gb', image: 'debian-12-x64' }

function account() {
  const guarded: unknown[] = []
  const { fetch, world } = createEmulator({
    machines: { ...noMachines, guard: async (guards) => void guarded.push(guards) },
  })
  const send = async (method: string, path: string, body: unknown) => {
    const headers = { authorization: `Bearer ${world.token}` }
    const answer = await fetch(`http://emulated/v2${path}`, { method, headers, body: JSON.stringify(body) })
    expect(answer.ok).toBe(true)
  }
  return { world, send, guarded }
}
const tagging = (dropletId: number) => ({ resources: [{ resource_id: `${dropletId}`, resource_type: 'droplet' }] })
const opened = (ports: string, ...addresses: string[]) => [{ protocol: 'tcp', ports, sources: { addresses } }]
const OUT = [{ protocol: 'tcp', ports: '0', destinations: { addresses: ['0.0.0.0/0'] } }]

test('a droplet of no firewall is open; one of a firewall without rules lets nothing in; several let in what each does', async () => {
  const { world, send } = account()
  for (const name of ['all', 'dialled']) await send('POST', '/tags', { name })
  await send('POST', '/droplets', { name: 'open', ...PLACE })
  await send('POST', '/droplets', { name: 'shut', ...PLACE, tags: ['all'] })
  await send('POST', '/droplets', { name: 'dialled', ...PLACE, tags: ['all', 'dialled'] })
  await send('POST', '/firewalls', { name: 'all', tags: ['all'], outbound_rules: OUT })
  await send('POST', '/firewalls', {
    name: 'one',
    tags: ['dialled'],
    inbound_rules: opened('30000', '10.0.0.1', '::1'),
  })
  const [, shut, dialled] = [...world.droplets.values()]
  expect(guardsOf(world)).toEqual([
    { address: shut!.address, openings: [] },
    { address: dialled!.address, openings: [{ protocol: 'tcp', ports: '30000', sources: ['10.0.0.1'] }] },
  ])
})

test('the machines are told before the call is answered, and only when it changed something', async () => {
  const { world, send, guarded } = account()
  await send('POST', '/tags', { name: 'dialled' })
  await send('POST', '/firewalls', { name: 'one', tags: ['dialled'], inbound_rules: opened('30000', '10.0.0.1') })
  await send('POST', '/droplets', { name: 'box', ...PLACE })
  expect(guarded).toEqual([])
  const { id, address } = [...world.droplets.values()][0]!
  await send('POST', '/tags/dialled/resources', tagging(id))
  await send('POST', '/tags/dialled/resources', tagging(id))
  await send('DELETE', '/tags/dialled/resources', tagging(id))
  const openings = [{ protocol: 'tcp', ports: '30000', sources: ['10.0.0.1'] }]
  expect(guarded).toEqual([[{ address, openings }], []])
})
