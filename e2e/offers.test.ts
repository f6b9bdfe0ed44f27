import {
  approveCapabilities,
  deployTool,
  getCredential,
  getInstance,
  listCapabilities,
  listToolbelt,
  listToolbeltCapabilities,
  putCredential,
  removeToolbeltItem,
  type ToolbeltItem,
  type Toolbox,
  type ToolInstance,
} from '@agentopia/api'
import type { Client } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type NewAgent, newAgent } from './agent.ts'
import { connectMcp, textOf } from './mcp-client.ts'
import { startWithServer } from './own-server.ts'
import { type Product, waitFor } from './product.ts'
import { activeToolbox, removeWithContainers } from './settled.ts'

// A server that offers what its key opens, in a container for each agent: on real Docker, with the official client.

const SETTLE_MS = 180_000
/** A change reaches the control plane with the next heartbeat. */
const SEEN_MS = 90_000

interface Agent extends NewAgent {
  readonly mcp: Client
}

let product: Product
let toolbox: Toolbox
let instance: ToolInstance
let reader: Agent
let writer: Agent

beforeAll(async () => {
  product = await startWithServer(new URL('./keyed/keyed.server.ts', import.meta.url), {
    id: 'keyed',
    title: 'Keyed',
    summary: 'A server that offers what its key opens.',
    secrets: [{ key: 'apiKey', title: 'API key', required: true, target: { env: 'API_KEY' } }],
  })
  toolbox = await activeToolbox(product.client)
  const params = { toolboxId: toolbox.id }
  instance = await product.client.call(deployTool, { params, body: { toolId: 'keyed', name: 'files' } })
  ;[reader, writer] = [await agent('reader'), await agent('writer')]
})
afterAll(async () => {
  if (!product) return
  for (const one of [reader, writer]) await one?.mcp.close()
  await removeWithContainers(product.client, instance)
  await product[Symbol.asyncDispose]()
})

/** Everything that either of them could be offered is allowed to each, before anything is known. */
async function agent(name: string): Promise<Agent> {
  const allow = ['read', 'write', 'turn']
  const made = await newAgent(product.client, { name, toolboxId: toolbox.id, instanceId: instance.id, allow })
  return { ...made, mcp: await connectMcp(made.mcpUrl, made.token) }
}

const placeOf = ({ agentId, itemId }: Agent) => ({ agentId, toolbeltItemId: itemId })
async function give(to: Agent, apiKey: string): Promise<void> {
  const params = placeOf(to)
  await product.client.call(putCredential, { params, body: { values: { apiKey } } })
  await waitFor('the credential is not valid', SETTLE_MS, async () =>
    (await product.client.call(getCredential, { params })).state === 'valid' ? true : undefined,
  )
}
const names = async ({ mcp }: Agent) => (await mcp.listTools()).tools.map(({ name }) => name).toSorted()
/** The gateway hears of a change a moment after it is stored. */
const listed = async (to: Agent, wanted: readonly string[]) =>
  waitFor(`${wanted.join(', ')} and nothing else is not listed`, SEEN_MS, async () =>
    (await names(to)).join() === wanted.join() ? true : undefined,
  )
const descriptionOf = async ({ mcp }: Agent) =>
  (await mcp.listTools()).tools.find(({ name }) => name === 'files__read')?.description
const call = async ({ mcp }: Agent, name: string) =>
  textOf(await mcp.callTool({ name: `files__${name}`, arguments: name === 'turn' ? {} : { path: 'a' } }))
const itemOf = async ({ agentId }: Agent): Promise<ToolbeltItem> =>
  (await product.client.call(listToolbelt, { params: { agentId } })).items[0]!
const changedOf = async (of: Agent) =>
  (await itemOf(of)).permissions.filter(({ changed }) => changed).map(({ capability }) => capability)

it('M18 each agent is listed, and may call, what its own key opens, whichever container started last', async () => {
  expect([await names(reader), await names(writer)]).toEqual([[], []])
  await give(writer, 'rw-canary-of-the-writer')
  expect(await names(reader)).toEqual([])
  expect(await itemOf(reader)).toMatchObject({ offer: 'awaited' })
  await give(reader, 'ro-canary-of-the-reader')
  await listed(writer, ['files__read', 'files__turn', 'files__write'])
  await listed(reader, ['files__read'])
  expect([await descriptionOf(writer), await descriptionOf(reader)]).toEqual([
    'Reads a file, drafts included.',
    'Reads a file.',
  ])
  expect([await call(writer, 'write'), await call(writer, 'read'), await call(reader, 'read')]).toEqual([
    'wrote a',
    'read a',
    'read a',
  ])
  await expect(call(reader, 'write')).rejects.toThrow()
  expect([await changedOf(reader), await changedOf(writer)]).toEqual([[], []])

  const params = { toolboxId: toolbox.id, instanceId: instance.id }
  const offered = await product.client.call(listCapabilities, { params })
  expect([offered.perAgent, offered.capabilities.map(({ name }) => name)]).toEqual([true, ['read', 'turn', 'write']])
  expect((await product.client.call(getInstance, { params })).capabilityCount).toBe(3)
  const own = await product.client.call(listToolbeltCapabilities, { params: placeOf(reader) })
  expect([own.offer, own.capabilities.map(({ name }) => name)]).toEqual(['own', ['read']])
})

it('M07 what becomes another thing for one agent is blocked for that agent until it is approved, and for no other', async () => {
  expect(await call(writer, 'turn')).toBe('turned')
  await listed(writer, ['files__turn', 'files__write'])
  expect(await changedOf(writer)).toEqual(['read'])
  await expect(call(writer, 'read')).rejects.toThrow(/otherwise than it did/)
  expect([await names(reader), await changedOf(reader), await call(reader, 'read')]).toEqual([
    ['files__read'],
    [],
    'read a',
  ])
  const changed = (await itemOf(writer)).permissions.find(({ capability }) => capability === 'read')?.changed
  const approve = [{ capability: 'read', digest: changed!.to.digest }]
  await product.client.call(approveCapabilities, { params: placeOf(writer), body: { approve } })
  await listed(writer, ['files__read', 'files__turn', 'files__write'])
  expect(await call(writer, 'read')).toBe('read a')
})

it('an agent that is given another key is offered what that opens', async () => {
  await give(reader, 'rw-canary-of-the-reader')
  // It reads otherwise now than when it was allowed: that is for a person to look at.
  await listed(reader, ['files__turn', 'files__write'])
  expect(await call(reader, 'write')).toBe('wrote a')
  expect(await changedOf(reader)).toEqual(['read'])
})

it('what an agent was offered goes with its toolbelt item', async () => {
  await product.client.call(removeToolbeltItem, { params: placeOf(writer) })
  const params = { toolboxId: toolbox.id, instanceId: instance.id }
  await product.client.call(removeToolbeltItem, { params: placeOf(reader) })
  await listed(writer, [])
  expect((await product.client.call(listCapabilities, { params })).capabilities).toEqual([])
  expect((await product.client.call(getInstance, { params })).capabilityCount).toBeUndefined()
})
