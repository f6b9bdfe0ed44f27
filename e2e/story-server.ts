// npm run story:server [-- --image agentopia-testbed:debian-12] [--variant systemd]: a bare server joins by its line, runs a tool and is
// uninstalled, step by step with times. Images with Ubuntu are made by testbed/images/build-ubuntu.sh. Needs `npm start`'s set-up.
import assert from 'node:assert/strict'
import { parseArgs } from 'node:util'
import { createJoinLine, createToolbox, getToolbox, InstallVariant, removeToolbox } from '@agentopia/api'
import {
  bridgeAddress,
  buildMachineImages,
  type MachineImage,
  onMachine,
  removeMachine,
  startMachine,
  untilBooted,
} from '@agentopia/testbed/machines'
import { freePort, startProduct, waitFor } from './product.ts'
import { deploy } from './settled.ts'
import { createStory } from './story.ts'

const { values } = parseArgs({
  options: {
    image: { type: 'string', default: 'agentopia-testbed:debian-12' },
    variant: { type: 'string', default: 'docker' },
  },
})
const variant = InstallVariant.parse(values.variant)
const server = 'agentopia-testbed-story-server'
const ACTIVE_MS = 300_000

const { step } = createStory((line) => console.log(line))
const port = await freePort()
await using product = await step('the control plane starts', async () =>
  startProduct({
    PORT: String(port),
    HOST: '0.0.0.0',
    PUBLIC_URL: `http://${await bridgeAddress()}:${port}`,
    LOCAL_TOOLBOX: 'off',
  }),
)
const { client } = product
const shell = (script: string, input?: string) => onMachine(server, ['sh', '-c', script], input)
try {
  await step(`a server of ${values.image} boots`, async () => {
    await buildMachineImages()
    await removeMachine(server)
    const facts = { name: server, network: 'bridge', memoryMb: 2_048, label: 'agentopia-testbed=story-server' }
    await startMachine({ ...facts, image: values.image as MachineImage })
    await untilBooted(server, 60_000)
  })
  const { id: toolboxId } = await client.call(createToolbox, { body: { provider: 'join', name: 'server', variant } })
  const params = { toolboxId }
  const { line, uninstallLine } = await client.call(createJoinLine, { params })
  await step(`its line is pasted: it installs what is missing, by ${variant}`, () =>
    onMachine(server, ['sh', '-s'], `cd /root && ${line}\n`),
  )
  await step('it is active', () =>
    waitFor('it is not active', ACTIVE_MS, async () => {
      const now = await client.call(getToolbox, { params })
      return now.status === 'active' && now.connected ? now : undefined
    }),
  )
  await step('a tool runs', () => deploy(client, toolboxId, 'everything', 'demo'))
  await step('it is uninstalled: only Docker stays', async () => {
    await client.call(removeToolbox, { params, query: {} })
    await shell(`cd /root && ${uninstallLine}`)
    const left =
      'ls -d /var/lib/agentopia /opt/agentopia /etc/systemd/system/agentopia* /root/install* 2>/dev/null; getent passwd agentopia-dtma; docker ps -aq; docker images -q; docker volume ls -q; docker network ls -q --filter type=custom'
    assert.equal(await shell(`${left}; true`), '')
  })
} finally {
  await removeMachine(server)
}
