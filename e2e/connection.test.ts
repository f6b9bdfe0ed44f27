import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { openTestConnections, ownNames } from '@agentopia/backend/testing'
import { expect, it } from 'vitest'
import { barriersOn, openBrowser, signIn } from './browser.ts'

const PAGE = fileURLToPath(new URL('../dist/page', import.meta.url))

it('a person connects a tool of an agent in a browser, and disconnects it', async () => {
  let handle: RequestListener = (_, response) => void response.writeHead(503).end()
  const server = createServer((request, response) => handle(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const publicUrl = `http://localhost:${port}`
  // Beside the browser, the test itself comes by the name that tests come by.
  const own = ownNames({ host: '127.0.0.1', port }, 'http://localhost:3000')
  const world = await openTestConnections({ publicUrl, own, pageDir: PAGE })
  handle = world.plane.listener
  try {
    await using browsing = await openBrowser(publicUrl)
    const { page, complaints } = browsing
    await signIn(page, `${publicUrl}/sign-in#${await world.plane.link(world.userId)}`)

    await page.goto(`/agents/${world.ids.agentId}`)
    await page.getByText('Not connected: calls are refused').waitFor()
    await page.getByRole('button', { name: 'Connect', exact: true }).click()
    await page.getByRole('heading', { name: 'Connected', exact: true }).waitFor()
    expect(new URL(page.url()).search).toBe('') // the code does not stay in the address
    expect(await barriersOn(page)).toEqual([])
    expect(await world.values()).toEqual({ token: 'access-1' })

    await page.getByRole('link', { name: 'To the toolbelt of the agent' }).click()
    const row = page.getByRole('region', { name: 'Connection of demo' })
    await row.getByText(/^Connected/).waitFor()
    expect(await barriersOn(page)).toEqual([])

    await row.getByRole('button', { name: 'Disconnect' }).click()
    await page.getByRole('dialog').getByRole('textbox').fill('demo')
    await page.getByRole('dialog').getByRole('button', { name: 'Disconnect' }).click()
    await row.getByText('Not connected').waitFor()
    expect(world.server.revoked).toHaveLength(1)
    expect(complaints).toEqual([])
  } finally {
    server.closeAllConnections()
    server.close()
    await world.close()
  }
})
