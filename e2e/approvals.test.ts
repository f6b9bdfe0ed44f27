import {
  decideApproval,
  listApprovals,
  listCalls,
  listToolbelt,
  removeInstance,
  type ToolInstance,
  updateToolbeltItem,
} from '@agentopia/api'
import type { Client } from '@modelcontextprotocol/client'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { newAgent } from './agent.ts'
import { barriersOn, newSignInLink, openBrowser, overflowOf, signIn } from './browser.ts'
import { containersOf } from './docker.ts'
import { connectMcp, textOf } from './mcp-client.ts'
import { type Product, waitFor } from './product.ts'
import { activeToolbox, deploy, until } from './settled.ts'
import { startWithTurncoat } from './turncoat/turncoat-product.ts'

// A real MCP server that becomes another one while it runs, and a person who is asked: on real Docker, in a real browser, with
// the official client.

const STEP_MS = 30_000
/** A change reaches the control plane with the next heartbeat. */
const SEEN_MS = 90_000

let product: Product
let instance: ToolInstance
let agentId: string
let itemId: string
let mcp: Client

beforeAll(async () => {
  product = await startWithTurncoat()
  const { client } = product
  const { id: toolboxId } = await activeToolbox(client)
  instance = await deploy(client, toolboxId, 'turncoat', 'files')
  const reader = { name: 'reader', toolboxId, instanceId: instance.id, allow: ['read', 'turn'] }
  const { token, mcpUrl, ...ids } = await newAgent(client, reader)
  ;({ agentId, itemId } = ids)
  mcp = await connectMcp(mcpUrl, token)
})
afterAll(async () => {
  if (!product) return
  await mcp?.close()
  const params = { toolboxId: instance.toolboxId, instanceId: instance.id }
  await product.client.call(removeInstance, { params, query: { force: 'true' } })
  await waitFor('the container was not removed', SEEN_MS, async () =>
    (await containersOf(instance.id)).length === 0 ? true : undefined,
  )
  await product[Symbol.asyncDispose]()
})

const read = () => mcp.callTool({ name: 'files__read', arguments: { path: '/etc/hosts' } })
const names = async () => (await mcp.listTools()).tools.map(({ name }) => name)
const waiting = async () => (await product.client.call(listApprovals, { query: {} })).items
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })

async function browse(path: string) {
  const browsing = await openBrowser(product.url)
  await signIn(browsing.page, await newSignInLink(product))
  await browsing.page.goto(path)
  return browsing
}

it('M07 a server that becomes another one while it runs is blocked, shown word by word, and let in again by a person', async () => {
  expect(textOf(await read())).toBe('read /etc/hosts')
  const [container] = await containersOf(instance.id)
  await mcp.callTool({ name: 'files__turn', arguments: {} })
  await waitFor('the change was not seen', SEEN_MS, async () => {
    const { items } = await product.client.call(listToolbelt, { params: { agentId } })
    return items[0]?.permissions.some(({ changed }) => changed) ? true : undefined
  })
  expect(await containersOf(instance.id)).toEqual([container]) // it was seen without a restart
  await until('it is not listed any more', names, (listed) => listed.join() === 'files__turn')
  await expect(read()).rejects.toThrow(/otherwise than it did/)

  await using browsing = await browse(`/agents/${agentId}`)
  const { page, complaints } = browsing
  await page.getByText('blocked', { exact: true }).waitFor()
  await button(page, 'Review').click()
  const dialog = page.getByRole('dialog', { name: 'What changed in files' })
  await dialog.getByText('no longer only reads').waitFor()
  await dialog.getByText('newly destructive').waitFor()
  await dialog.getByText('holds characters that cannot be seen').waitFor()
  expect(await dialog.locator('del').allTextContents()).toContain('returns')
  expect((await dialog.locator('ins').allTextContents()).join()).toContain('mails')
  expect(await barriersOn(page)).toEqual([])
  await button(page, 'Approve read').click()
  await dialog.getByText('Nothing is left to decide.').waitFor()
  await button(page, 'Close').first().click()
  await page.getByText('blocked', { exact: true }).waitFor({ state: 'detached' })
  expect(complaints).toEqual([])
  const again = { path: '/etc/hosts', context: 'nothing' }
  expect(textOf(await mcp.callTool({ name: 'files__read', arguments: again }))).toBe('read /etc/hosts')
})

it('a call that is asked for waits in the inbox, at once, and is made when a person approves it there', async () => {
  await using browsing = await browse(`/agents/${agentId}`)
  const { page, complaints } = browsing
  await page.getByRole('checkbox', { name: /^wipe/ }).click()
  await button(page, 'Ask first before wipe is called').click()
  await page.getByText('to be asked for').waitFor()
  expect(await barriersOn(page)).toEqual([])
  await button(page, 'Save permissions').click()
  await page.getByText(/3 of 3 capabilities allowed, 1 of them asked for/).waitFor()
  await page.getByRole('link', { name: 'Approvals' }).first().click()
  await page.getByText('Nothing waits for you').waitFor()

  const progress: unknown[] = []
  const wipe = (password: string) =>
    mcp.callTool(
      { name: 'files__wipe', arguments: { disk: 'sda', password } },
      { timeout: 15_000, resetTimeoutOnProgress: true, onprogress: (step) => progress.push(step) },
    )
  const denied = wipe('canary-of-a-secret')
  const card = page.locator('section').filter({ has: page.getByRole('heading', { name: /wipe/ }) })
  await card.getByText('"disk": "sda"').waitFor()
  expect(await page.content()).not.toContain('canary-of-a-secret')
  await page
    .getByRole('link', { name: /Approvals 1 waiting/ })
    .first()
    .waitFor()
  expect(await barriersOn(page)).toEqual([])
  await card.getByLabel('Reason for a no, told to the agent').fill('not this disk')
  await button(page, 'Deny').click()
  const refusal = await denied
  expect(refusal.isError).toBe(true)
  expect(textOf(refusal)).toContain('not this disk')

  const allowed = wipe('x')
  await button(page, 'Approve once').click()
  expect(textOf(await allowed)).toBe('wiped sda')
  expect(progress.length).toBeGreaterThan(1)
  await page.getByRole('row').filter({ hasText: 'approved' }).first().waitFor()
  await page.getByRole('row').filter({ hasText: 'not this disk' }).waitFor()
  const { items } = await product.client.call(listCalls, { query: { capability: 'wipe' } })
  expect(items.map(({ outcome, code }) => [outcome, code])).toEqual([
    ['ok', undefined],
    ['denied', 'approval-denied'],
  ])
  for (const call of items) expect(call.decidedBy).toBeDefined()

  await page.setViewportSize({ width: 390, height: 844 })
  expect(await overflowOf(page)).toBe(0)
  expect(complaints).toEqual([])
})

it('what is tried on the page is asked for there, too', async () => {
  await using browsing = await browse(`/agents/${agentId}/try`)
  const { page } = browsing
  await page.getByRole('combobox', { name: 'Capability' }).click()
  await page.getByRole('option', { name: 'files__wipe' }).click()
  await page.getByLabel('disk').fill('sdb')
  await button(page, 'Call').click()
  await button(page, 'Approve once').click()
  await page.getByText('wiped sdb').waitFor()
})

it('prompts and resources are switched on the page, and stay as they were set', async () => {
  await using browsing = await browse(`/agents/${agentId}`)
  const { page } = browsing
  for (const name of ['Prompts of files', 'Resources of files', 'Plain names of files']) {
    const knob = page.getByRole('switch', { name })
    await knob.click()
    await page.getByRole('switch', { name, checked: true }).waitFor()
  }
  await waitFor('plain names do not hold', STEP_MS, async () => ((await names()).includes('wipe') ? true : undefined))
  const { items } = await product.client.call(listToolbelt, { params: { agentId } })
  expect(items[0]).toMatchObject({ prompts: true, resources: true, plainNames: true })
  await page.reload()
  await page.getByRole('switch', { name: 'Plain names of files', checked: true }).click()
  await waitFor('plain names still hold', STEP_MS, async () =>
    (await names()).includes('files__wipe') ? true : undefined,
  )
  await page.getByLabel('Ask first for names like').fill('re* w*')
  await button(page, 'Save names').click()
  await page.getByText(/3 of 3 capabilities allowed, 2 of them asked for/).waitFor()
})

it('after a kill -9 of the control plane nothing waits that is not there: the question expires, and the record says so', async () => {
  const params = { agentId, toolbeltItemId: itemId }
  await product.client.call(updateToolbeltItem, { params, body: { ask: ['wipe'], askPatterns: [] } })
  const call = mcp.callTool({ name: 'files__wipe', arguments: { disk: 'sdc' } }).catch((error: unknown) => error)
  const asked = await waitFor('nothing waits', STEP_MS, async () => (await waiting())[0])
  await product.kill()
  expect(await call).toBeInstanceOf(Error)
  await product.start()
  await waitFor('the question has not expired', STEP_MS, async () =>
    (await waiting()).length === 0 ? true : undefined,
  )
  const { items } = await product.client.call(listApprovals, { query: { state: 'settled' } })
  expect(items[0]).toMatchObject({ id: asked.id, state: 'expired', reason: expect.stringContaining('restarted') })
  const late = product.client.call(decideApproval, { params: { approvalId: asked.id }, body: { decision: 'approve' } })
  await expect(late).rejects.toMatchObject({ code: 'approval-settled' })
  const { items: calls } = await product.client.call(listCalls, { query: { capability: 'wipe', limit: 1 } })
  expect(calls[0]).toMatchObject({ id: asked.callId, outcome: 'failed', code: 'interrupted' })
})
