import { readdirSync, readFileSync } from 'node:fs'
import {
  deployTool,
  executeCapability,
  getCredential,
  getInstance,
  listActivity,
  listCalls,
  listToolbelt,
  putCredential,
  revokeCredential,
  type Toolbox,
  type ToolInstance,
} from '@agentopia/api'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type NewAgent, newAgent } from './agent.ts'
import { containersOf, crash, docker, dtmaContainerOf } from './docker.ts'
import { connectMcp } from './mcp-client.ts'
import { type Product, startProduct, waitFor } from './product.ts'
import { activeToolbox, removeWithContainers } from './settled.ts'

// A curated tool with a secret, on real Docker. That the secret arrived is read from the server's own process, as only root
// of the machine can; the searches themselves fail, for want of a network and of a real key, and are calls all the same.

const SETTLE_MS = 180_000
const CAPABILITY = 'brave_web_search'
let product: Product
let toolbox: Toolbox
let instance: ToolInstance
let first: Agent
let second: Agent

interface Agent extends NewAgent {
  /** Name of its own container on the toolbox. */
  readonly tool: string
}

beforeAll(async () => {
  product = await startProduct()
  toolbox = await activeToolbox(product.client)
  const params = { toolboxId: toolbox.id }
  instance = await product.client.call(deployTool, { params, body: { toolId: 'brave-search', name: 'search' } })
  ;[first, second] = [await agent('first'), await agent('second')]
})
afterAll(async () => {
  if (!product) return
  await removeWithContainers(product.client, instance)
  await product[Symbol.asyncDispose]()
})

async function agent(name: string): Promise<Agent> {
  const allow = [CAPABILITY]
  const made = await newAgent(product.client, { name, toolboxId: toolbox.id, instanceId: instance.id, allow })
  return { ...made, tool: `${instance.id}-${made.agentId}` }
}

const place = ({ agentId, itemId }: Agent) => ({ agentId, toolbeltItemId: itemId })
const give = (to: Agent, apiKey: string) =>
  product.client.call(putCredential, { params: place(to), body: { values: { apiKey } } })
const call = (by: Agent) =>
  product.client.call(executeCapability, {
    params: place(by),
    body: { capability: CAPABILITY, arguments: { query: 'toolbox' } },
  })
const stateOf = async (of: Agent) => (await product.client.call(getCredential, { params: place(of) })).state
const valid = (of: Agent) =>
  waitFor('the credential is not valid', SETTLE_MS, async () => ((await stateOf(of)) === 'valid' ? true : undefined))

/** The secret in the environment of the server that this container runs; `undefined` while there is none. */
async function secretIn(container: string): Promise<string | undefined> {
  const pids = (await docker('top', container, '-eo', 'pid')).split('\n').slice(1)
  for (const pid of pids) {
    try {
      const found = /BRAVE_API_KEY=([^\0]*)/.exec(readFileSync(`/proc/${pid.trim()}/environ`, 'utf8'))
      if (found) return found[1]
    } catch {
      // it has ended since
    }
  }
  return undefined
}

async function secretOf({ tool }: Agent): Promise<string | undefined> {
  const [container] = await containersOf(tool)
  return container === undefined ? undefined : secretIn(container).catch(() => undefined)
}

const CANARY = {
  first: 'canary-first-7f3a9c1e5b',
  second: 'canary-second-2d8e4f6a0c',
  rotated: 'canary-rotated-9b1c3d5e7f',
}

it('K06 without credentials the tool is made ready, nothing runs, and calls are refused by name', async () => {
  await waitFor('the tool is not made ready', SETTLE_MS, async () => {
    const params = { toolboxId: toolbox.id, instanceId: instance.id }
    return (await product.client.call(getInstance, { params })).state === 'created' ? true : undefined
  })
  expect(await containersOf(instance.id)).toEqual([])
  expect(await stateOf(first)).toBe('missing')
})

it('a stored credential is tried by a real start, and what the server offers is known then', async () => {
  await give(first, CANARY.first)
  await valid(first)
  const { items } = await product.client.call(listToolbelt, { params: { agentId: first.agentId } })
  expect(items[0]?.permissions.find(({ capability }) => capability === CAPABILITY)?.offered).toBe(true)
  await expect(call(second)).rejects.toMatchObject({ code: 'missing-credential' })
})

it('M18 two agents who call one instance at once reach two containers, each with its own secret', async () => {
  await give(second, CANARY.second)
  await valid(second)
  await Promise.all(Array.from({ length: 5 }).flatMap(() => [call(first), call(second)]))
  expect([await secretOf(first), await secretOf(second)]).toEqual([CANARY.first, CANARY.second])
  const [one, other] = [await containersOf(first.tool), await containersOf(second.tool)]
  expect([one.length, other.length, one[0] === other[0]]).toEqual([1, 1, false])
  const { items } = await product.client.call(listCalls, { query: { instanceId: instance.id } })
  expect(items.filter(({ outcome }) => outcome === 'ok' || outcome === 'tool_error').length).toBeGreaterThanOrEqual(10)
})

it('the official client calls it, too', async () => {
  const mcp = await connectMcp(first.mcpUrl, first.token)
  const result = await mcp.callTool({ name: `search__${CAPABILITY}`, arguments: { query: 'toolbox' } })
  await mcp.close()
  expect(result.content).toBeDefined()
})

it('K01 K03 the secrets are in the memory of their servers, and in no log, inspect, command line, file or answer', async () => {
  const answers = [
    await product.client.call(getCredential, { params: place(first) }),
    await product.client.call(listActivity, { query: {} }),
    await product.client.call(listCalls, { query: {} }),
    await product.client.call(listToolbelt, { params: { agentId: first.agentId } }),
  ]
  const ids = (await docker('ps', '--all', '--quiet')).split('\n').filter(Boolean)
  const inspected = await Promise.all(ids.map((id) => docker('inspect', id).catch(() => '')))
  const [container] = await containersOf(first.tool)
  const init = await docker('inspect', '--format', '{{.State.Pid}}', String(container))
  const swept: Record<string, string> = {
    answers: JSON.stringify(answers),
    'log of the control plane': product.output(),
    'log of DTMA': await docker('logs', dtmaContainerOf(toolbox.id)),
    inspect: inspected.join('\n'),
    'environment of the first process': readFileSync(`/proc/${init}/environ`, 'utf8'),
    'command lines': commandLines(),
    'data directory, database included': filesUnder(product.dataDir),
  }
  expect(inspected.join('').includes(first.tool)).toBe(true)
  for (const [where, text] of Object.entries(swept))
    for (const canary of Object.values(CANARY)) expect([where, text.includes(canary)]).toEqual([where, false])
})

it('K04 a rotated secret is in use within 60 s, and the old one never again', async () => {
  const begun = performance.now()
  await give(first, CANARY.rotated)
  await call(first)
  const took = performance.now() - begun
  expect(await secretOf(first)).toBe(CANARY.rotated)
  process.stdout.write(`  rotation effective after ${Math.round(took)} ms\n`)
  expect(took).toBeLessThan(60_000)
})

it('K06 after a crash of DTMA and of the tool, it comes back with its secret, not without', async () => {
  await crash(dtmaContainerOf(toolbox.id))
  const [before] = await containersOf(first.tool)
  await crash(String(before))
  await waitFor('it did not come back', SETTLE_MS, async () => {
    await call(first).catch(() => undefined)
    return (await secretOf(first)) === CANARY.rotated ? true : undefined
  })
})

it('a revoked secret is gone from the machine within 10 s, and calls are refused at once', async () => {
  const [container] = await containersOf(first.tool)
  const begun = performance.now()
  await product.client.call(revokeCredential, { params: place(first) })
  await expect(call(first)).rejects.toMatchObject({ code: 'missing-credential' })
  const refused = performance.now() - begun
  await waitFor('the container still runs', 10_000, async () =>
    (await containersOf(first.tool)).includes(String(container)) ? undefined : true,
  )
  process.stdout.write(
    `  revocation: refused after ${Math.round(refused)} ms, container gone after ${Math.round(performance.now() - begun)} ms\n`,
  )
  expect(await secretOf(second)).toBe(CANARY.second)
})

function commandLines(): string {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      } catch {
        return '' // it has ended since
      }
    })
    .join('\n')
}

function filesUnder(directory: string): string {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => {
      try {
        return readFileSync(`${parentPath}/${name}`, 'latin1')
      } catch {
        return '' // PostgreSQL renames and removes its files while we look
      }
    })
    .join('\n')
}
