import assert from 'node:assert/strict'
import {
  addCatalogTool,
  createClient,
  getCatalogTool,
  getMe,
  listAgents,
  listToolboxes,
  ProblemError,
  setPassword,
  signIn,
  type Toolbox,
} from '@agentopia/api'
import { dumpOf } from '@agentopia/backend/testing'
import { newSignInLink } from './browser.ts'
import { type Product, sessionBy } from './product.ts'

/** How often what was asked for, or happened once, is in the history of the toolbox. */
export const ONCE: Readonly<Record<string, number>> = {
  'toolbox.created': 1,
  'toolbox.enrolled': 1,
  'instance.deployed': 2,
  'droplet.asked': 1,
  'droplet.done': 1,
  'toolbox.update': 1,
  'toolbox.rotate-keys': 1,
  'toolbox.keys-rotated': 1,
  'toolbox.removed': 1,
  'toolbox.deprovisioned': 1,
}

/** Asked again with the same key, nothing is made again. */
export const keyed = (key: string) => ({ headers: { 'idempotency-key': `story-${key}` } })

export async function newAccount(product: Product): Promise<void> {
  const { url, client } = product
  const owner = { email: 'owner@example.com', password: `canary-${crypto.randomUUID()}` }
  const browser = createClient({ baseUrl: url })
  const byLink = await sessionBy(url, await newSignInLink(product))
  await browser.call(setPassword, { body: { email: owner.email, newPassword: owner.password } }, { headers: byLink })
  const me = await browser.call(signIn, { body: owner }, { headers: { origin: url } })
  assert.deepEqual([me.role, me.hasPassword, me.user.email], ['owner', true, owner.email])
  assert.equal((await client.call(getMe, {})).account.id, me.account.id)
  const lists = [client.call(listToolboxes, { query: {} }), client.call(listAgents, { query: {} })]
  assert.deepEqual(
    (await Promise.all(lists)).map(({ items }) => items),
    [[], []],
  )
}

/** The curated reference server over stdio, with a secret in its environment. Succeeds when it was added before. */
export async function addKeyed({ client }: Product): Promise<void> {
  const { package: everything } = await client.call(getCatalogTool, { params: { toolId: 'everything' } })
  assert.equal(everything.type, 'npm')
  const body = {
    id: 'keyed',
    title: 'Keyed',
    spec: {
      package: { ...everything, type: 'npm' as const },
      transport: { type: 'stdio' as const },
      args: ['stdio'],
    },
    secrets: [{ key: 'apiKey', title: 'API key', required: true, target: { env: 'STORY_KEY' } }],
  }
  await client.call(addCatalogTool, { body }).catch((error: unknown) => {
    if (!(error instanceof ProblemError && error.code === 'name-taken')) throw error
  })
}

/** What the database holds sealed of a toolbox and its agents. */
export async function sealedOf({ dataDir }: Product, toolboxId: string) {
  const lines = (await dumpOf(dataDir)).split('\n')
  const rowsOf = (table: string) =>
    lines.filter((line) => line.startsWith(`${table} `)).map((line) => JSON.parse(line.slice(table.length + 1)))
  const toolbox = rowsOf('account_tool_environments').find(({ id }) => id === toolboxId)
  return {
    credentials: rowsOf('agent_tool_credentials').length,
    keyOfDtma: toolbox.backend_to_dtma_api_key as string | null,
  }
}

/** What the boot took, as the machine itself told it. */
export function stagesOf(active: Toolbox, asked: Toolbox, calls: number): string {
  const since = (at: string) => ((Date.parse(at) - Date.parse(asked.createdAt)) / 1_000).toFixed(1)
  const stages = (active.boot?.stages ?? []).map(({ stage, at }) => `${stage} ${since(at)} s`)
  return `${stages.join(', ')}, active ${since(active.statusSince)} s; ${calls} API calls; one droplet`
}
