import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  addToolbeltItem,
  createAgent,
  createAgentToken,
  executeCapability,
  grantToolboxAccess,
  listCalls,
  listCapabilities,
  listInstances,
  type ObservationCode,
  ProblemError,
  readToolboxStatus,
  refreshToolboxStatus,
  removeAgent,
  removeInstance,
  type Toolbox,
} from '@agentopia/api'
import { containersOf, crash, docker, dtmaContainerOf } from './docker.ts'
import { connectMcp, textOf } from './mcp-client.ts'
import { type Product, waitFor } from './product.ts'
import { activeToolbox, deploy, recovered, until } from './settled.ts'
import type { Story } from './story.ts'

const RECOVER_MS = 90_000

/**
 * The main job, on real parts: this machine becomes a toolbox, two MCP servers are deployed on it, an agent calls what it was
 * granted and nothing else, the truth is told of a DTMA in every state, and nothing is lost when a process is killed.
 * @throws {Error} At the first step that does not hold.
 */
export async function localStory(product: Product, { step }: Story): Promise<void> {
  const { client } = product
  const toolbox = await step('this machine is the toolbox `local`, active by its heartbeat', () =>
    activeToolbox(client),
  )
  await step('refresh-status, GET and POST: reachable', async () => {
    await until(
      'it is reachable',
      () => look(product, toolbox),
      ({ code }) => code === 'reachable',
    )
    const read = await client.call(readToolboxStatus, { params: { toolboxId: toolbox.id } })
    assert.equal(read.observation.code, 'reachable')
  })

  const [stdio, http] = await step('deploy server-everything over stdio and over streamable HTTP', () =>
    Promise.all([
      deploy(client, toolbox.id, 'everything', 'stdio'),
      deploy(client, toolbox.id, 'everything-http', 'http'),
    ]),
  )
  await step('their capabilities were discovered', async () => {
    for (const instance of [stdio, http]) {
      const params = { toolboxId: toolbox.id, instanceId: instance.id }
      const { capabilities } = await client.call(listCapabilities, { params })
      assert.ok(capabilities.some(({ name }) => name === 'echo'))
      assert.equal(capabilities.length, instance.capabilityCount)
    }
  })

  const agent = await step('register an agent, grant it the toolbox, allow one capability of each tool', async () => {
    const { id: agentId } = await client.call(createAgent, { body: { name: 'storyteller' } })
    await client.call(grantToolboxAccess, { params: { agentId, toolboxId: toolbox.id } })
    const add = (instanceId: string, allow: string[]) =>
      client.call(addToolbeltItem, { params: { agentId }, body: { instanceId, allow } })
    const echo = await add(stdio.id, ['echo'])
    await add(http.id, ['get-sum'])
    const { secret, mcpUrl, snippets } = await client.call(createAgentToken, {
      params: { agentId },
      body: { name: 'story' },
    })
    assert.ok(snippets.every(({ text }) => text.includes(mcpUrl)))
    return { id: agentId, echoItem: echo.id, secret, mcpUrl }
  })

  const callEcho = async (message: string) => {
    const mcp = await connectMcp(agent.mcpUrl, agent.secret)
    try {
      return textOf(await mcp.callTool({ name: 'stdio__echo', arguments: { message } }))
    } finally {
      await mcp.close()
    }
  }

  await step('the official MCP client lists exactly what was allowed', async () => {
    const mcp = await connectMcp(agent.mcpUrl, agent.secret)
    const names = (await mcp.listTools()).tools.map(({ name }) => name)
    await mcp.close()
    assert.deepEqual(names.sort(), ['http__get-sum', 'stdio__echo'])
  })
  await step('it calls one capability of each tool', async () => {
    assert.match(await callEcho('hello'), /hello/)
    const mcp = await connectMcp(agent.mcpUrl, agent.secret)
    const sum = await mcp.callTool({ name: 'http__get-sum', arguments: { a: 40, b: 2 } })
    await mcp.close()
    assert.match(textOf(sum), /42/)
  })
  await step('a capability that was not allowed is refused', async () => {
    const mcp = await connectMcp(agent.mcpUrl, agent.secret)
    await assert.rejects(mcp.callTool({ name: 'stdio__get-env', arguments: {} }))
    await mcp.close()
  })
  const execute = (capability: string, args: Record<string, unknown>) =>
    client.call(executeCapability, {
      params: { agentId: agent.id, toolbeltItemId: agent.echoItem },
      body: { capability, arguments: args },
    })
  await step('the REST route gives the same answer, and the same refusal', async () => {
    const { result } = await execute('echo', { message: 'hello' })
    assert.equal(textOf(result), await callEcho('hello'))
    await assert.rejects(execute('get-env', {}), hasCode('capability-denied'))
  })
  await step('every call is on record', async () => {
    const recorded = await waitFor('the calls were not recorded', 10_000, async () => {
      const { items } = await client.call(listCalls, { query: { agentId: agent.id } })
      return items.filter(({ outcome }) => outcome === 'denied').length >= 2 ? items : undefined
    })
    assert.ok(recorded.filter(({ outcome }) => outcome === 'ok').length >= 4)
  })

  await truthStory(product, toolbox, { step })

  await step('kill -9 of a tool container: it comes back and answers', async () => {
    const [before] = await containersOf(stdio.id)
    await crash(String(before))
    await recovered(() => callEcho('after the crash of the tool'))
  })
  await step('kill -9 of DTMA: its tools run on, it comes back', async () => {
    const before = await containersOf(stdio.id)
    await crash(dtmaContainerOf(toolbox.id))
    await recovered(() => callEcho('after the crash of DTMA'))
    assert.deepEqual(await containersOf(stdio.id), before)
  })
  await step('kill -9 of the control plane: nothing lost, nothing doubled', async () => {
    const before = await containersOf(stdio.id)
    await product.kill()
    await product.start()
    await recovered(() => callEcho('after the crash of the control plane'))
    assert.deepEqual(await containersOf(stdio.id), before)
    const { items } = await client.call(listInstances, { params: { toolboxId: toolbox.id }, query: {} })
    assert.deepEqual(items.map(({ id }) => id).sort(), [stdio.id, http.id].sort())
  })

  await step('remove the agent and both tools: no container is left', async () => {
    await client.call(removeAgent, { params: { agentId: agent.id } })
    for (const { id } of [stdio, http])
      await client.call(removeInstance, { params: { toolboxId: toolbox.id, instanceId: id }, query: { force: 'true' } })
    await waitFor('the tools were not removed', RECOVER_MS, async () => {
      const { items } = await client.call(listInstances, { params: { toolboxId: toolbox.id }, query: {} })
      return items.length === 0 ? true : undefined
    })
    for (const { id } of [stdio, http]) assert.deepEqual(await containersOf(id), [])
  })
}

/** The seed's bug was a 500 here. Whatever became of DTMA, the answer is 200 and names it. */
async function truthStory(product: Product, toolbox: Toolbox, { step }: Pick<Story, 'step'>): Promise<void> {
  const container = dtmaContainerOf(toolbox.id)
  const sees = (code: ObservationCode) =>
    waitFor(`refresh-status does not say ${code}`, RECOVER_MS, async () => {
      const observation = await look(product, toolbox)
      return observation.code === code ? observation : undefined
    })

  await step('DTMA stopped: refresh-status says stopped', async () => {
    await docker('stop', container)
    await sees('stopped')
  })
  await step('DTMA started again: reachable', async () => {
    await docker('start', container)
    await sees('reachable')
  })
  await step('DTMA paused: not_answering', async () => {
    await docker('pause', container)
    await sees('not_answering')
    await docker('unpause', container)
    await sees('reachable')
  })
  await step('DTMA killed: unreachable', async () => {
    await docker('kill', container)
    await sees('unreachable')
  })
  await step('DTMA holds a wrong key: unauthorized', async () => {
    const file = join(product.dataDir, 'dtma', 'identity.json')
    // The rest of the file stays as DTMA has it: set back to what it was, it would be taken for a copy.
    const hold = async (key: string): Promise<string> => {
      const identity = JSON.parse(await readFile(file, 'utf8'))
      const { backendToDtmaApiKey: before } = identity.credentials
      identity.credentials.backendToDtmaApiKey = key
      await writeFile(file, JSON.stringify(identity))
      await docker('start', container)
      return before
    }
    const right = await hold('x'.repeat(43))
    await sees('unauthorized')
    await docker('stop', container)
    await hold(right)
    await sees('reachable')
  })
}

const look = async ({ client }: Product, { id }: Toolbox) =>
  (await client.call(refreshToolboxStatus, { params: { toolboxId: id } })).observation

const hasCode = (code: string) => (error: unknown) => error instanceof ProblemError && error.code === code
