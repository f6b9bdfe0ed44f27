import {
  addToolbeltItem,
  createAgent,
  disconnectClient,
  grantToolboxAccess,
  listConnectedClients,
} from '@agentopia/api'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { barriersOn, newSignInLink, openBrowser, signIn } from './browser.ts'
import { checkAuthorizationServer } from './conformance/authorization-suite.ts'
import { openDesk } from './desk.ts'
import { textOf } from './mcp-client.ts'
import { freePort, type Product, startProduct } from './product.ts'
import { activeToolbox, deploy } from './settled.ts'

const EMAIL = 'owner@example.com'
const PASSWORD = 'a long enough password'

let product: Product
let agentId: string
beforeAll(async () => {
  product = await startProduct()
  const { client } = product
  await setOwnersPassword()
  const toolbox = await activeToolbox(product.client)
  const { id: instanceId } = await deploy(product.client, toolbox.id, 'everything', 'demo')
  agentId = (await client.call(createAgent, { body: { name: 'reader' } })).id
  await client.call(createAgent, { body: { name: 'another' } })
  await client.call(grantToolboxAccess, { params: { agentId, toolboxId: toolbox.id } })
  await client.call(addToolbeltItem, { params: { agentId }, body: { instanceId, allow: ['echo'] } })
})
afterAll(() => product?.[Symbol.asyncDispose]())

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true })

async function setOwnersPassword(): Promise<void> {
  const [, token] = (await newSignInLink(product)).split('#')
  const headers = { origin: product.url, 'content-type': 'application/json' }
  const session = await fetch(`${product.url}/api/session/link`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ token }),
  })
  const cookie = session.headers.getSetCookie().map((line) => line.split(';', 1)[0]!)
  const set = await fetch(`${product.url}/api/me/password`, {
    method: 'PUT',
    headers: { ...headers, cookie: cookie.join('; ') },
    body: JSON.stringify({ newPassword: PASSWORD, email: EMAIL }),
  })
  expect(set.status).toBe(204)
}

async function chooseReader(page: Page): Promise<void> {
  await page.getByRole('combobox').click()
  await page.getByRole('option', { name: 'reader' }).click()
  await page.getByText('demo__echo').waitFor()
}

describe('a client that is told nothing but the address', () => {
  it('is led through sign-in and consent in Chromium, and calls as the agent that was chosen there', async () => {
    await using browsing = await openBrowser(product.url)
    await using desk = await openDesk(`${product.url}/mcp`)
    const { page, complaints } = browsing
    const barriers: string[] = []

    const mcp = await desk.connect(async (url) => {
      await page.goto(url)
      await page.getByRole('heading', { name: 'Agentopia Toolboxes' }).waitFor() // nobody is signed in
      expect(new URL(page.url()).pathname).toBe('/sign-in')
      await page.getByLabel('E-mail').fill(EMAIL)
      await page.getByLabel('Password').fill(PASSWORD)
      await button(page, 'Sign in').click()
      await page.getByRole('heading', { name: 'Desk of the end-to-end tests asks to use your tools' }).waitFor()
      await page.getByText(/a program on this computer: 127\.0\.0\.1:\d+/).waitFor()
      await chooseReader(page)
      barriers.push(...(await barriersOn(page)))
      await button(page, 'Connect').click()
      await page.getByText('You may close this page.').waitFor()
    })
    expect((await mcp.listTools()).tools.map(({ name }) => name)).toEqual(['demo__echo'])
    expect(textOf(await mcp.callTool({ name: 'demo__echo', arguments: { message: 'hello' } }))).toContain('hello')
    await mcp.close()
    // The browser notes that who is not signed in was told so, and that the desk has no icon.
    const ours = complaints.filter((complaint) => complaint.includes(product.url) && !complaint.includes('401'))
    expect(ours).toEqual([])
    expect(barriers).toEqual([])

    await page.goto(`${product.url}/agents/${agentId}/connect`)
    await page.getByRole('region', { name: 'Connected clients' }).getByText('Desk of the end-to-end tests').waitFor()
    barriers.push(...(await barriersOn(page)))
    await button(page, 'Disconnect').click()
    await page.getByLabel(/to confirm/).fill('Desk of the end-to-end tests')
    await page.getByRole('dialog').getByRole('button', { name: 'Disconnect' }).click()
    await page.getByText('None yet. Give the address above').waitFor()
    expect(barriers).toEqual([])
    const refused = await fetch(`${product.url}/mcp`, {
      method: 'POST',
      headers: { authorization: `Bearer ${desk.tokens?.access_token}`, 'content-type': 'application/json' },
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
    })
    expect(refused.status).toBe(401)
    expect(product.output()).not.toContain(desk.tokens!.access_token)
  })

  it('is told when the person refuses', async () => {
    await using browsing = await openBrowser(product.url)
    await using desk = await openDesk(`${product.url}/mcp`)
    const { page } = browsing
    const refused = desk.connect(async (url) => {
      await signIn(page, await newSignInLink(product))
      await page.goto(url)
      await button(page, 'Refuse').click()
      await page.getByText('You may close this page.').waitFor()
    })
    await expect(refused).rejects.toThrow(/access_denied|person said no/)
  })
})

describe('the MCP conformance suite, as a client of the authorization server', () => {
  it('finds nothing wrong', async () => {
    const port = await freePort()
    const registered = await fetch(`${product.url}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ client_name: 'Suite', redirect_uris: [`http://127.0.0.1:${port}/callback`] }),
    })
    const { client_id: clientId } = (await registered.json()) as { client_id: string }
    await using browsing = await openBrowser(product.url)
    const { page } = browsing
    await signIn(page, await newSignInLink(product))
    const checks = await checkAuthorizationServer({
      issuer: product.url,
      resource: `${product.url}/mcp`,
      clientId,
      port,
      visit: async (url) => {
        await page.goto(url)
        await chooseReader(page)
        await button(page, 'Connect').click()
        await page.getByText('OK. You can close this page.').waitFor()
      },
    })
    expect(checks).toEqual([
      'authorization-code-grant: SUCCESS',
      'authorization-server-metadata-cimd: SUCCESS',
      'authorization-server-metadata: SUCCESS',
    ])
    const { items } = await product.client.call(listConnectedClients, { params: { agentId } })
    for (const { id: grantId } of items) await product.client.call(disconnectClient, { params: { agentId, grantId } })
  })
})
