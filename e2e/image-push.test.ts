import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { listImageArchives, listInstances, type Toolbox } from '@agentopia/api'
import type { Page, Route } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { newAgent } from './agent.ts'
import { barriersOn, newSignInLink, openBrowser, overflowOf, signIn } from './browser.ts'
import { callOnce } from './mcp-client.ts'
import { type Product, startProduct } from './product.ts'
import { activeToolbox, running } from './settled.ts'
import { savedShellImage } from './shell-image.ts'

// The archive of an image, from a file on somebody's computer to a call: by the page alone.

const MIB = 2 ** 20
const PART = 2 * MIB
const BALLAST = 8 * MIB
const STEP_MS = 60_000
const DEPLOY_MS = 300_000
const ANSWER = `said by ${randomBytes(4).toString('hex')}`
const IMAGE = `upload-${randomBytes(3).toString('hex')}/shell-server:1.0`

let product: Product
let toolbox: Toolbox
let saved: Awaited<ReturnType<typeof savedShellImage>>
beforeAll(async () => {
  saved = await savedShellImage(IMAGE, ANSWER, BALLAST)
  product = await startProduct()
  toolbox = await activeToolbox(product.client)
})
afterAll(async () => {
  await product?.[Symbol.asyncDispose]()
  await saved?.remove()
})

/** As a person does: by the browser's own dialog. */
async function choose(page: Page, path: string): Promise<void> {
  const [chooser] = await Promise.all([
    page.waitForEvent('filechooser'),
    page.getByRole('button', { name: 'Push an archive from this computer' }).click(),
  ])
  await chooser.setFiles(path)
}

/** Offsets of the parts that the page sends; `meet` decides what becomes of each. */
async function partsOf(page: Page, meet: (nth: number) => 'pass' | 'break' | 'hold') {
  const offsets: number[] = []
  await page.route('**/api/images/*/parts/*', (route: Route) => {
    const offset = Number(route.request().url().split('/').at(-1))
    const fate = meet(offsets.push(offset))
    if (fate === 'break') return route.abort('connectionreset')
    if (fate === 'pass') return route.continue()
    return undefined
  })
  return offsets
}

it('is pushed where a tool is added: cancelled, gone on with across a broken line, deployed and called', async () => {
  await using browsing = await openBrowser(product.url)
  const { page, complaints } = browsing
  const barriers: string[] = []
  await signIn(page, await newSignInLink(product))
  await page.goto(`${product.url}/catalog`)
  await page.getByRole('button', { name: 'Add a tool' }).click()
  const dialog = page.getByRole('dialog', { name: 'Add a tool' })
  await dialog.getByLabel('Made of').click()
  await page.getByRole('option', { name: /Archive of an image/ }).click()
  barriers.push(...(await barriersOn(page)))

  // The second part stays on its way until somebody cancels.
  let line: 'whole' | 'broken' = 'whole'
  const offsets = await partsOf(page, (nth) => (line === 'broken' ? 'break' : nth === 2 ? 'hold' : 'pass'))
  await choose(page, saved.archive)
  await expect.poll(() => offsets, { timeout: STEP_MS }).toEqual([0, PART])
  const progress = dialog.getByRole('progressbar', { name: 'server.tar on its way' })
  await expect
    .poll(async () => Number(await progress.getAttribute('aria-valuenow')), { timeout: STEP_MS })
    .toBeGreaterThan(10)
  barriers.push(...(await barriersOn(page)))
  await dialog.getByText(/^2 MiB of/).waitFor()
  await dialog.getByRole('button', { name: 'Cancel the push of server.tar' }).click()
  await progress.waitFor({ state: 'detached' })
  expect(await dialog.getByRole('alert').count()).toBe(0) // who cancels is told of no failure

  line = 'broken'
  await choose(page, saved.archive)
  await dialog.getByRole('status').getByText('The line broke').waitFor()
  line = 'whole'
  await dialog.getByRole('status').getByText(`${IMAGE} is here`).waitFor()
  expect(offsets.slice(2, 4)).toEqual([PART, PART]) // what had arrived is not sent again
  const others = offsets.filter((offset) => offset !== PART) // how many follows from the line: parts grow on a fast one
  expect(others.length).toBeGreaterThan(1)
  expect(others).toEqual([...new Set(others)].sort((one, other) => one - other))
  const { items } = await product.client.call(listImageArchives, {})
  expect(items).toMatchObject([{ image: IMAGE, state: 'ready' }])

  expect(await dialog.getByLabel('Image').textContent()).toBe(IMAGE)
  expect(await dialog.getByRole('textbox', { name: /^Id/ }).inputValue()).toBe('shell-server')
  await dialog.getByLabel('Title').fill('Shell server')
  await dialog.getByRole('button', { name: 'Add to the catalogue' }).click()
  const deploying = page.getByRole('dialog', { name: 'Deploy Shell server' })
  await deploying.getByRole('button', { name: 'Deploy', exact: true }).click()
  await page.getByRole('heading', { level: 1, name: /^shell-server running/ }).waitFor({ timeout: DEPLOY_MS })
  expect(await called('shell-server')).toBe(ANSWER)
  expect(barriers).toEqual([])
  expect(complaints.filter((line) => !/ERR_CONNECTION_RESET .*\/parts\//.test(line))).toEqual([])
})

it('is refused in words when it is no archive of an image, and leaves nothing behind', async () => {
  await using browsing = await openBrowser(product.url, { viewport: { width: 390, height: 800 } })
  const { page, complaints } = browsing
  const path = join(saved.archive, '..', 'notes.tar')
  await writeFile(path, randomBytes(3 * MIB))
  const before = await product.client.call(listImageArchives, {})
  await signIn(page, await newSignInLink(product))
  await page.goto(`${product.url}/settings`)
  await choose(page, path)
  await page.getByRole('alert').getByText('This is not the archive of an image', { exact: false }).first().waitFor()
  await page.getByRole('alert').getByText('invalid-image').waitFor()
  expect(await overflowOf(page)).toBe(0)
  expect(await barriersOn(page)).toEqual([])
  expect(await product.client.call(listImageArchives, {})).toEqual(before)
  expect(complaints.filter((line) => !/status of 422 .*\/parts\//.test(line))).toEqual([])
})

/** Lets a new agent call the tool once. */
async function called(tool: string): Promise<string> {
  const { client } = product
  const { items } = await client.call(listInstances, { params: { toolboxId: toolbox.id }, query: {} })
  const instance = await running(client, items.find(({ name }) => name === tool)!)
  const agent = await newAgent(client, { toolboxId: toolbox.id, instanceId: instance.id, allow: ['say'] })
  return callOnce(agent, `${tool}__say`, {})
}
