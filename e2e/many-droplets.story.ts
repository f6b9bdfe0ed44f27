import assert from 'node:assert/strict'
import { createToolbox, listToolboxes, removeToolbox, setProviderToken } from '@agentopia/api'
import { docker } from '@agentopia/testbed/machines'
import type { CloudAndProduct } from './cloud.ts'
import { waitFor } from './product.ts'
import type { Story } from './story.ts'

const EACH_MS = 240_000

/**
 * Many droplets at once, on an emulated DigitalOcean with real machines: each asked for once, all active, and none left.
 * @throws {Error} At the first step that does not hold.
 */
export async function manyDroplets(
  { product, cloud }: CloudAndProduct,
  { step, note }: Story,
  many: number,
): Promise<void> {
  const { client } = product
  const { world } = cloud.emulator
  await client.call(setProviderToken, { body: { token: world.token } })
  const names = Array.from({ length: many }, (_, n) => `box-${n}`)
  const toolboxes = async () => (await client.call(listToolboxes, { query: {} })).items
  const callsBefore = world.calls.length
  // The check of the token asked once, for nothing.
  const creates = () => world.calls.slice(callsBefore).filter((call) => call === 'POST /v2/droplets').length

  await step(`${many} droplets are asked for at once`, () =>
    Promise.all(
      names.map((name) =>
        client.call(createToolbox, {
          body: { provider: 'digitalocean', name, region: 'fra1', size: 's-1vcpu-1gb', image: 'docker-20-04' },
        }),
      ),
    ),
  )
  await step('the first one is active', () =>
    waitFor('none became active', EACH_MS * many, async () =>
      (await toolboxes()).some(({ status }) => status === 'active') ? true : undefined,
    ),
  )
  await step(`all ${many} are active`, () =>
    waitFor('not all became active', EACH_MS * many, async () => {
      const now = await toolboxes()
      const failed = now.find(({ status }) => status === 'error_provisioning')
      if (failed) throw new Error(`${failed.name}: ${failed.statusReason}\n${failed.boot?.log}`)
      return now.length === many && now.every(({ status, connected }) => status === 'active' && connected)
        ? true
        : undefined
    }),
  )
  assert.equal(creates(), many)
  assert.equal(new Set((await toolboxes()).map(({ dropletId }) => dropletId)).size, many)
  const calls = world.calls.length - callsBefore
  note(`${await memoryOf(many, world.droplets.keys())}, ${(calls / many).toFixed(1)} API calls each`)
  await step('all are removed; no droplet is left', async () => {
    for (const { id, name } of await toolboxes())
      await client.call(removeToolbox, { params: { toolboxId: id }, query: { confirm: name } })
    await waitFor('droplets are left', EACH_MS, () => (world.droplets.size === 0 ? true : undefined))
    await waitFor('toolboxes are left', EACH_MS, async () => ((await toolboxes()).length === 0 ? true : undefined))
  })
}

/** What the machines take now, as Docker counts it. */
async function memoryOf(many: number, ids: Iterable<number>): Promise<string> {
  const names = [...ids].map((id) => `agentopia-droplet-${id}`)
  const lines = (await docker(['stats', '--no-stream', '--format', '{{.MemUsage}}', ...names])).split('\n')
  const mib = lines.map(
    (line) => Number.parseFloat(line) * (line.includes('GiB /') && !line.includes('MiB /') ? 1_024 : 1),
  )
  const total = mib.reduce((sum, one) => sum + one, 0)
  return `${Math.round(total / many)} MiB each, ${Math.round(total)} MiB together`
}
