import assert from 'node:assert/strict'
import {
  createToolbox,
  getToolbox,
  listActivity,
  listInstances,
  listSnapshots,
  type NewDropletAction,
  removeSnapshot,
  removeToolbox,
  setProviderToken,
  type Toolbox,
} from '@agentopia/api'
import { onMachine } from '@agentopia/testbed/machines'
import type { CloudAndProduct } from './cloud.ts'
import { waitFor } from './product.ts'
import { deploy, dropletActed } from './settled.ts'
import type { Story } from './story.ts'

const ACTIVE_MS = 300_000
const BACK_MS = 180_000

/**
 * What can be done with a droplet after its creation, on an emulated DigitalOcean with real machines.
 * @throws {Error} At the first step that does not hold.
 */
export async function dropletStory({ product, cloud }: CloudAndProduct, { step }: Story): Promise<void> {
  const { client } = product
  const { world } = cloud.emulator
  await client.call(setProviderToken, { body: { token: world.token } })

  const placed = { provider: 'digitalocean', region: 'fra1', size: 's-1vcpu-1gb' } as const
  const alpha = await step('a droplet becomes a toolbox, with a tool on it', async () => {
    const { id } = await client.call(createToolbox, { body: { ...placed, name: 'alpha', image: 'docker-20-04' } })
    const active = await untilActive(id)
    await deploy(client, id, 'memory', 'memory')
    return active
  })
  const toolboxId = alpha.id
  const machine = `agentopia-droplet-${alpha.dropletId}`
  const droplet = world.droplets.get(alpha.dropletId!)!

  async function untilActive(id: string, since?: string): Promise<Toolbox> {
    return waitFor('the toolbox did not become active', ACTIVE_MS, async () => {
      const now = await client.call(getToolbox, { params: { toolboxId: id } })
      if (now.status === 'error_provisioning') throw new Error(`${now.statusReason}\n${now.boot?.log}`)
      const fresh = since === undefined || (now.lastHeartbeatAt ?? '') > since
      return now.status === 'active' && now.connected && fresh ? now : undefined
    })
  }

  const act = (body: NewDropletAction) => dropletActed(client, toolboxId, body)

  const toolRuns = () =>
    waitFor('the tool is not back', BACK_MS, async () => {
      const { items } = await client.call(listInstances, { params: { toolboxId }, query: {} })
      return items.every(({ state }) => state === 'running') ? true : undefined
    })
  const allBack = async () => {
    await untilActive(toolboxId, new Date().toISOString())
    await toolRuns()
  }

  for (const kind of ['reboot', 'power_cycle'] as const) {
    await step(`${kind}: done`, () => act({ kind }))
    await step('   DTMA and its tool are back by themselves', allBack)
  }
  await step('power off: the toolbox says so, with what it costs', async () => {
    await act({ kind: 'power_off' })
    const { status, statusReason } = await client.call(getToolbox, { params: { toolboxId } })
    assert.equal(status, 'unresponsive')
    assert.match(statusReason ?? '', /powered off, and costs \$6 a month/)
  })
  await step('power on: done', () => act({ kind: 'power_on' }))
  await step('   DTMA and its tool are back by themselves', allBack)

  await step('resize to 2 GB: done', async () => {
    assert.equal((await act({ kind: 'resize', size: 's-1vcpu-2gb' })).message, 'It costs $12 a month now')
  })
  await step('   DTMA and its tool are back by themselves', async () => {
    await allBack()
    const limit = await onMachine(machine, [
      'sh',
      '-c',
      'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null | head -n 1',
    ])
    assert.equal(Number(limit), 2_048 * 1_048_576)
  })

  await step('a reserved address: got, and shown', async () => {
    await act({ kind: 'assign_reserved_ip' })
    const { reservedIpAddress } = await client.call(getToolbox, { params: { toolboxId } })
    assert.equal(world.reservedIps.get(reservedIpAddress!), alpha.dropletId)
  })

  await step('rebuild: the disk is fresh, and the toolbox enrols by itself', async () => {
    await onMachine(machine, ['touch', '/root/of-the-old-disk'])
    await act({ kind: 'rebuild', confirm: 'alpha' })
    const left = await onMachine(machine, ['sh', '-c', 'test -e /root/of-the-old-disk && echo yes || echo no'])
    assert.equal(left, 'no')
  })
  await step('   DTMA and its tool are back by themselves; nothing is shown any more', async () => {
    await allBack()
    assert.equal(droplet.tags.filter((tag) => tag.includes('boot')).length, 0)
    const { dropletId, publicIpAddress } = await client.call(getToolbox, { params: { toolboxId } })
    assert.deepEqual([dropletId, publicIpAddress], [alpha.dropletId, alpha.publicIpAddress])
  })

  const snapshot = await step('a snapshot: listed with its price', async () => {
    await act({ kind: 'snapshot', name: 'golden' })
    const { items } = await client.call(listSnapshots, {})
    assert.deepEqual(
      items.map(({ name, toolboxName }) => [name, toolboxName]),
      [['golden', 'alpha']],
    )
    return items[0]!
  })
  await step('a toolbox made from it is another one: alpha stays as it is', async () => {
    const body = { ...placed, size: 's-1vcpu-2gb', name: 'copy', image: snapshot.id } as const
    const { id } = await client.call(createToolbox, { body })
    const copy = await untilActive(id)
    assert.notEqual(copy.dropletId, alpha.dropletId)
    await allBack()
    const { items } = await client.call(listInstances, { params: { toolboxId: id }, query: {} })
    assert.deepEqual(items, [])
    await client.call(removeToolbox, { params: { toolboxId: id }, query: { confirm: 'copy' } })
  })
  await step('the end: no droplet, no address and no snapshot is left', async () => {
    await client.call(removeSnapshot, { params: { snapshotId: snapshot.id } })
    await client.call(removeToolbox, { params: { toolboxId }, query: { confirm: 'alpha' } })
    await waitFor('something is left', BACK_MS, () =>
      world.droplets.size + world.reservedIps.size + world.snapshots.size === 0 ? true : undefined,
    )
  })
  await step('everything is on record, with who asked and how it ended', async () => {
    const { items } = await client.call(listActivity, { query: { toolboxId, limit: 200 } })
    for (const kind of ['reboot', 'power cycle', 'power off', 'power on', 'resize', 'rebuild', 'snapshot']) {
      assert.ok(
        items.some(({ action, message }) => action === 'droplet.asked' && message.includes(kind)),
        kind,
      )
      assert.ok(
        items.some(({ action, message }) => action === 'droplet.done' && message.includes(kind)),
        kind,
      )
    }
  })
}
