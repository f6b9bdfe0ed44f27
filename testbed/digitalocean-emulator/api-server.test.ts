import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createApiServer } from './api-server.ts'
import { createEmulator } from './emulator.ts'

const emulator = createEmulator()
const server = createApiServer(emulator)
beforeAll(() => once(server.listen(0, '127.0.0.1'), 'listening'))
afterAll(() => {
  server.closeAllConnections()
  server.close()
})

const send = (method: string, path: string, body?: unknown) =>
  fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v2${path}`, {
    method,
    headers: { authorization: `Bearer ${emulator.world.token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })

test('a body arrives with every method that may have one: a tag is taken from a droplet, a firewall is replaced', async () => {
  await send('POST', '/tags', { name: 'dialled' })
  const { droplet } = (await (
    await send('POST', '/droplets', { name: 'one', size: 's-1vcpu-1gb', image: 'debian-12-x64', tags: ['dialled'] })
  ).json()) as { droplet: { id: number } }
  const resources = [{ resource_id: String(droplet.id), resource_type: 'droplet' }]
  expect((await send('DELETE', '/tags/dialled/resources', { resources })).status).toBe(204)
  expect(emulator.world.droplets.get(droplet.id)?.tags).toEqual([])

  const rule = (ports: string) => [{ protocol: 'tcp', ports, sources: { addresses: ['198.51.100.7'] } }]
  const made = await send('POST', '/firewalls', { name: 'wall', tags: ['dialled'], inbound_rules: rule('30000') })
  const { firewall } = (await made.json()) as { firewall: { id: string } }
  const changed = { name: 'wall', tags: ['dialled'], inbound_rules: rule('443') }
  expect((await send('PUT', `/firewalls/${firewall.id}`, changed)).status).toBe(200)
  expect([...emulator.world.firewalls.values()].map(({ inbound_rules }) => inbound_rules)).toEqual([rule('443')])
})

test('what has no body has none: a droplet is destroyed, and a list is read', async () => {
  const [id] = [...emulator.world.droplets.keys()]
  expect((await send('DELETE', `/droplets/${id}`)).status).toBe(204)
  expect(await (await send('GET', '/droplets')).json()).toMatchObject({ droplets: [] })
})

test('a connection that is cut is cut', async () => {
  emulator.fail({ method: 'GET', path: /droplets/, answer: 'drop' })
  await expect(send('GET', '/droplets')).rejects.toThrow()
})
