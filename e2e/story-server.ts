// npm run story:server [-- --image agentopia-testbed:debian-12] [--variant systemd]: a bare server joins by its line, runs a tool and is
// uninstalled, step by step with times. Images with Ubuntu are made by testbed/images/build-ubuntu.sh. Needs `npm start`'s set-up.
import assert from 'node:assert/strict'
import { parseArgs } from 'node:util'
import { createJoinLine, createToolbox, InstallVariant, removeToolbox } from '@agentopia/api'
import { type MachineImage, onMachine, removeMachine } from '@agentopia/testbed/machines'
import { paste, startReachable, startServer } from './server.ts'
import { connected, deploy } from './settled.ts'
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
await using product = await step('the control plane starts', () => startReachable())
const { client } = product
const shell = (script: string, input?: string) => onMachine(server, ['sh', '-c', script], input)
try {
  await step(`a server of ${values.image} boots`, () => startServer(server, 2_048, values.image as MachineImage))
  const { id: toolboxId } = await client.call(createToolbox, { body: { provider: 'join', name: 'server', variant } })
  const params = { toolboxId }
  const { line, uninstallLine } = await client.call(createJoinLine, { params })
  await step(`its line is pasted: it installs what is missing, by ${variant}`, () => paste(server, line))
  await step('it is active', () => connected(client, toolboxId, ACTIVE_MS))
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
