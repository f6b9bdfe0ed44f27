import {
  addCatalogTool,
  createGroup,
  getGroup,
  listActivity,
  listGroups,
  listInstances,
  ProblemError,
  removeInstance,
  type Toolbox,
  type ToolGroup,
} from '@agentopia/api'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { barriersOn, newSignInLink, openBrowser, signIn } from './browser.ts'
import { docker, dtmaContainerOf } from './docker.ts'
import { type Product, startProduct, waitFor } from './product.ts'
import { activeToolbox } from './settled.ts'

// Tools that belong together, with real servers: all of them or none, in the order of their needs.

/** Each builds an image from an npm package the first time. */
const DEPLOY_MS = 400_000
const GONE_MS = 120_000

let product: Product
let toolbox: Toolbox
beforeAll(async () => {
  product = await startProduct()
  toolbox = await activeToolbox(product.client)
})
afterAll(() => product?.[Symbol.asyncDispose]())

const read = (groupId: string) => product.client.call(getGroup, { params: { toolboxId: toolbox.id, groupId } })
const names = async () => {
  const { items } = await product.client.call(listInstances, { params: { toolboxId: toolbox.id }, query: {} })
  return items.map(({ name }) => name)
}
const until = (state: ToolGroup['state'], groupId: string, ms: number) =>
  waitFor(`the group is not ${state}`, ms, async () => {
    const group = await read(groupId)
    return group.state === state ? group : undefined
  })

it('takes the others back when one does not come up, across a control plane that is killed, and says why', async () => {
  const { client } = product
  const spec = {
    package: {
      type: 'npm',
      name: '@modelcontextprotocol/server-everything',
      version: '2026.8.31',
      bin: 'not-a-command',
    },
    transport: { type: 'stdio' },
  } as const
  await client.call(addCatalogTool, { body: { id: 'broken', title: 'Broken', spec } })
  const { id } = await client.call(createGroup, {
    params: { toolboxId: toolbox.id },
    body: {
      name: 'doomed',
      members: [
        { toolId: 'broken', name: 'second', dependsOn: ['first'] },
        { toolId: 'memory', name: 'first' },
      ],
    },
  })
  const first = await waitFor('the first is not running', DEPLOY_MS, async () => {
    const { members } = await read(id)
    return members[0]?.state === 'running' ? members[0] : undefined
  })
  const remove = client.call(removeInstance, {
    params: { toolboxId: toolbox.id, instanceId: first.instanceId! },
    query: {},
  })
  await expect(remove).rejects.toSatisfy((error) => error instanceof ProblemError && error.code === 'instance-in-group')
  await product.kill()
  await product.start()
  const failed = await until('failed', id, DEPLOY_MS)
  expect(failed.failure).toMatchObject({ member: 'second', reason: 'build_failed' })
  expect(failed.members).toMatchObject([
    { name: 'first', state: 'none' },
    { name: 'second', state: 'none' },
  ])
  expect(await names()).toEqual([])
  const { items } = await client.call(listActivity, { query: { toolboxId: toolbox.id } })
  expect(items.filter(({ action }) => action === 'group.undone')).toMatchObject([
    { subject: id, message: expect.stringContaining('not-a-command') },
  ])
})

it('is deployed from the page, and removed there with all that belongs to it', async () => {
  await using browsing = await openBrowser(product.url)
  const { page, complaints } = browsing
  const readAlone: string[] = []
  page.on('request', (request) => {
    if (/\/groups\/group_\w+$/.test(request.url()) && request.method() === 'GET') readAlone.push(request.url())
  })
  await signIn(page, await newSignInLink(product))
  await page.goto(`${product.url}/toolboxes/${toolbox.id}/tools`)
  const failed = page.getByRole('region', { name: 'Group doomed' })
  await failed.getByText('failed', { exact: true }).waitFor()
  await failed.getByText('None of its tools is left on the toolbox').waitFor()

  await page.getByRole('button', { name: 'Deploy a group' }).click()
  const dialog = page.getByRole('dialog', { name: 'Deploy a group' })
  await dialog.getByRole('button', { name: 'Deploy', exact: true }).click()
  await dialog.getByText('A group has at least one tool').waitFor()
  await dialog.getByLabel('Name of the group').fill('desk')
  for (const tool of ['Everything', 'Memory']) {
    await dialog.getByRole('combobox', { name: 'Add a tool' }).click()
    await page.getByRole('option', { name: tool }).first().click()
  }
  await dialog.getByRole('group', { name: 'everything comes after' }).getByLabel('memory').check()
  const barriers = await barriersOn(page)
  await docker('pause', dtmaContainerOf(toolbox.id)) // so that what waits is seen to wait
  await dialog.getByRole('button', { name: 'Deploy', exact: true }).click()

  const card = page.getByRole('region', { name: 'Group desk' })
  await card.getByText('waits', { exact: true }).waitFor()
  await docker('unpause', dtmaContainerOf(toolbox.id))
  await card.getByText('ready', { exact: true }).waitFor({ timeout: DEPLOY_MS })
  await card.getByText('running', { exact: true }).nth(1).waitFor()
  expect(await card.getByText('running', { exact: true }).count()).toBe(2)
  barriers.push(...(await barriersOn(page)))
  expect(barriers).toEqual([])

  await card.getByRole('button', { name: 'Remove group desk' }).click()
  const confirm = page.getByRole('dialog', { name: 'Remove desk' })
  await confirm.getByRole('textbox').fill('desk')
  await confirm.getByRole('button', { name: 'Remove', exact: true }).click()
  await confirm.waitFor({ state: 'detached' }) // while it is open, what is behind it is hidden
  await card.waitFor({ state: 'detached', timeout: GONE_MS })
  const { items } = await product.client.call(listGroups, { params: { toolboxId: toolbox.id }, query: {} })
  expect(items.map(({ name }) => name)).toEqual(['doomed'])
  expect(await names()).toEqual([])
  expect(complaints).toEqual([])
  expect(readAlone).toEqual([]) // the list has them all: one that has just gone is asked for by nobody
})
