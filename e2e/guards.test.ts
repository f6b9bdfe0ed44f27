import {
  addToolbeltItem,
  getAgentDataFlow,
  getCall,
  getCallPayload,
  listActivity,
  listCalls,
  putFlowLabels,
  putPayloadRule,
  removeCallPayloads,
  type Toolbox,
  updateCallSettings,
  verifyCalls,
} from '@agentopia/api'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { newAgent } from './agent.ts'
import { connectMcp, textOf } from './mcp-client.ts'
import { type Product, startProduct } from './product.ts'
import { activeToolbox, deploy, until } from './settled.ts'

// What guards calls, over the whole way: a real server in a container, and the official client.

/** In pieces, for scanners of leaked secrets. */
const TOKEN = `ghp${'_'}${'aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC3'}`

let product: Product
let toolbox: Toolbox
let agentId: string
let demoId: string
let mcp: Awaited<ReturnType<typeof connectMcp>>

beforeAll(async () => {
  product = await startProduct()
  const { client } = product
  toolbox = await activeToolbox(client)
  demoId = (await deploy(client, toolbox.id, 'everything', 'demo')).id
  const reader = await newAgent(client, { name: 'reader', toolboxId: toolbox.id, instanceId: demoId, allow: ['echo'] })
  agentId = reader.agentId
  mcp = await connectMcp(reader.mcpUrl, reader.token)
})
afterAll(async () => {
  await mcp?.close()
  await product?.[Symbol.asyncDispose]()
})

const echo = (message: string) => mcp.callTool({ name: 'demo__echo', arguments: { message } })
const lastCall = async () => (await product.client.call(listCalls, { query: { limit: 1 } })).items[0]!

it('M10 a secret in a call reaches neither the tool nor the agent, and is on record', async () => {
  expect(textOf(await echo(`use ${TOKEN} now`))).toBe('Echo: use [redacted: github-token] now')
  expect(await lastCall()).toMatchObject({ outcome: 'ok', secretsSeen: ['arguments:github-token'] })
  await until(
    'it is put on record',
    () => product.client.call(listActivity, { query: {} }),
    ({ items }) => items.some(({ action }) => action === 'secret.redacted'),
  )
  await product.client.call(updateCallSettings, { body: { secrets: 'block' } })
  await expect(echo(TOKEN)).rejects.toThrow(/looks like a secret/)
  expect(await lastCall()).toMatchObject({ outcome: 'denied', code: 'secret-blocked' })
  expect(product.output()).not.toContain(TOKEN)
})

it('what is sent and answered is kept when the account says so, survives a power cut, and is forgotten on demand', async () => {
  const { client } = product
  await echo('before')
  expect((await client.call(getCall, { params: { callId: (await lastCall()).id } })).payload).toBeUndefined()
  await client.call(putPayloadRule, { body: { days: 7 } })
  await echo('kept')
  const { id: callId } = await lastCall()
  expect(await client.call(getCall, { params: { callId } })).toHaveProperty('payload')
  await product.kill()
  await product.start()
  const { arguments: sent, result } = await client.call(getCallPayload, { params: { callId } })
  expect(sent).toEqual({ whole: true, json: { message: 'kept' } })
  expect(JSON.stringify(result)).toContain('Echo: kept')
  expect(await client.call(removeCallPayloads, { query: { agentId } })).toEqual({ removed: 1 })
  await expect(client.call(getCallPayload, { params: { callId } })).rejects.toMatchObject({ code: 'payload-not-found' })
  expect(await client.call(verifyCalls, { query: {} })).toMatchObject({ intact: true })
})

it('an agent that gets notes of its own beside what strangers write and a way out is warned of', async () => {
  const { client } = product
  const { id: instanceId } = await deploy(client, toolbox.id, 'memory', 'notes')
  await client.call(putFlowLabels, {
    params: { toolboxId: toolbox.id, instanceId: demoId },
    body: { labels: ['untrusted', 'outward'] },
  })
  const added = await client.call(addToolbeltItem, { params: { agentId }, body: { instanceId, allow: ['read_graph'] } })
  expect(added.warnings).toHaveLength(1)
  expect(await client.call(getAgentDataFlow, { params: { agentId } })).toMatchObject({
    private: ['notes__read_graph'],
    untrusted: ['demo__echo'],
    outward: ['demo__echo'],
    warnings: added.warnings,
  })
})
