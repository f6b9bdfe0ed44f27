import type { Client } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { newAgent } from './agent.ts'
import { barriersOn, newSignInLink, openBrowser, signIn } from './browser.ts'
import { connectMcp, textOf } from './mcp-client.ts'
import { type Product, startProduct, tokenOf } from './product.ts'
import { activeToolbox, until } from './settled.ts'

const DEPLOY_MS = 300_000

let product: Product
let operator: Client
let viewer: Client
beforeAll(async () => {
  product = await startProduct()
  const connected = async (role: 'operator' | 'viewer') =>
    connectMcp(
      `${product.url}/operator/mcp`,
      await tokenOf(product.url, await newSignInLink(product), { name: `model of a ${role}`, role }),
    )
  operator = await connected('operator')
  viewer = await connected('viewer')
  await activeToolbox(product.client)
})
afterAll(async () => {
  await operator?.close()
  await viewer?.close()
  await product?.[Symbol.asyncDispose]()
})

type Thing = Readonly<Record<string, unknown>>

/** One call that succeeds. @returns Its structure, which its text repeats. */
async function call(client: Client, name: string, args: Record<string, unknown> = {}): Promise<Thing> {
  const result = await client.callTool({ name, arguments: args })
  if (result.isError) throw new Error(`${name}: ${textOf(result)}`)
  expect(JSON.parse(textOf(result))).toEqual(result.structuredContent)
  return result.structuredContent as Thing
}

async function refusal(client: Client, name: string, args: Record<string, unknown> = {}): Promise<unknown> {
  const { isError, structuredContent } = await client.callTool({ name, arguments: args })
  return [isError, (structuredContent as Thing | undefined)?.['code']]
}

describe('a model with the token of an operator, by the official MCP client', () => {
  it('finds a toolbox, deploys a tool, sees it run, reads what it offers, and takes it away', async () => {
    const { tools } = await operator.listTools()
    expect(tools.length).toBeGreaterThan(60)
    const { items } = await call(operator, 'listToolboxes')
    const [{ id: toolboxId, status }] = items as [{ id: string; status: string }]
    expect(status).toBe('active')

    const made = await call(operator, 'deployTool', { toolboxId, toolId: 'everything', name: 'by-model' })
    const one = { toolboxId, instanceId: made['id'] }
    const seen = await until(
      'the tool runs',
      () => call(operator, 'getInstance', one),
      ({ state, capabilityCount }) => state === 'running' && capabilityCount !== undefined,
      DEPLOY_MS,
    )
    expect(seen).toMatchObject({ name: 'by-model', state: 'running', server: { name: expect.any(String) } })
    const { capabilities } = await call(viewer, 'listCapabilities', one)
    expect((capabilities as { name: string }[]).map(({ name }) => name)).toContain('echo')
    const { lines } = await call(viewer, 'readInstanceLogs', one)
    expect((lines as { line: string }[]).map(({ line }) => line).join()).toContain('Starting default (STDIO) server')
    await until(
      'it is reachable',
      () => call(operator, 'readToolboxStatus', { toolboxId }),
      ({ observation }) => (observation as { code: string }).code === 'reachable',
    )

    const { items: record } = await call(viewer, 'listActivity', { limit: 50 })
    expect(record).toContainEqual(
      expect.objectContaining({ actor: 'token model of a operator', action: 'instance.deployed', subject: made['id'] }),
    )
    await call(operator, 'removeInstance', one)
    await until(
      'the tool is gone',
      () => refusal(operator, 'getInstance', one),
      (answer) => JSON.stringify(answer) === '[true,"instance-not-found"]',
      DEPLOY_MS,
    )
  })

  it('reads and changes nothing with the token of a viewer', async () => {
    const { tools } = await viewer.listTools()
    expect(tools.filter(({ annotations }) => annotations?.readOnlyHint !== true)).toEqual([])
    const { items } = await call(viewer, 'listToolboxes')
    const [{ id: toolboxId }] = items as [{ id: string }]
    const args = { toolboxId, toolId: 'everything', name: 'by-viewer' }
    expect(await refusal(viewer, 'deployTool', args)).toEqual([true, 'forbidden'])
    expect((await call(viewer, 'listInstances', { toolboxId }))['items']).not.toContainEqual(
      expect.objectContaining({ name: 'by-viewer' }),
    )
  })

  it('is told what is wrong with what it asked for', async () => {
    expect(await refusal(operator, 'deployTool', { toolboxId: 'alpha', toolId: 'everything', name: 'x' })).toEqual([
      true,
      'invalid-request',
    ])
    await expect(operator.callTool({ name: 'createApiToken', arguments: { name: 'x' } })).rejects.toThrow(
      'Unknown tool: createApiToken',
    )
  })
})

describe('the page', () => {
  it('shows with a new API token how a model connects, and a client gets in by what is shown', async () => {
    await using browsing = await openBrowser(product.url)
    const { page, complaints } = browsing
    await signIn(page, await newSignInLink(product))
    await page.goto('/settings')
    await page.getByRole('button', { name: 'Create a token', exact: true }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Name').fill('my model')
    await dialog.getByRole('button', { name: 'Create', exact: true }).click()
    await dialog.getByRole('heading', { name: 'Let a model run the control plane' }).waitFor()
    const shown = await dialog.locator('pre').first().innerText()
    expect(await barriersOn(page)).toEqual([])
    const [, url] = /(http:\S+\/operator\/mcp)/.exec(shown) ?? []
    const [, token] = /Bearer (tbx_[\w-]+)/.exec(shown) ?? []
    const client = await connectMcp(url!, token!)
    expect(await call(client, 'getMe')).toMatchObject({ role: 'viewer' })
    await client.close()
    expect(complaints).toEqual([])
    expect(product.output()).not.toContain(token!)
  })
})

describe('the token of an agent', () => {
  it('opens nothing here, and that of an operator nothing at the endpoint of agents', async () => {
    const { items } = await call(operator, 'listToolboxes')
    const [{ id: toolboxId }] = items as [{ id: string }]
    const { id: instanceId } = (await call(operator, 'deployTool', {
      toolboxId,
      toolId: 'everything',
      name: 'of-agent',
    })) as { id: string }
    const agent = await newAgent(product.client, { toolboxId, instanceId, allow: ['echo'] })
    await expect(connectMcp(`${product.url}/operator/mcp`, agent.token)).rejects.toThrow(/403|agents connect to/)
    await expect(connectMcp(`${product.url}/mcp`, product.token)).rejects.toThrow(/401|unknown, expired or revoked/i)
    expect(product.output()).not.toContain(agent.token)
  })
})
