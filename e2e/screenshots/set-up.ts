import {
  addToolbeltItem,
  type Client,
  createAgent,
  createClient,
  executeCapability,
  grantToolboxAccess,
  listAgents,
  listAgentTokens,
  listCapabilities,
  listInstances,
  ProblemError,
  revokeAgentToken,
  type ToolbeltItem,
  type ToolInstance,
} from '@agentopia/api'
import { activeToolbox, deploy, running } from '../settled.ts'

/** What the pictures show, by id. */
export interface Pictured {
  readonly toolboxId: string
  /** A tool that writes a log worth reading. */
  readonly loggingInstanceId: string
  readonly agentId: string
}

interface Where {
  readonly url: string
  readonly token: string
}

export const TOKEN_NAME = 'claude-code on my laptop'
const TOOLS = ['everything', 'everything-http', 'memory'] as const

/** Deploys tools, registers an agent, grants and calls, as far as it has not been done before. */
export async function setUp({ url, token }: Where): Promise<Pictured> {
  const client = createClient({ baseUrl: url, token })
  const { id: toolboxId } = await activeToolbox(client)
  const [everything, overHttp, memory] = await Promise.all(
    TOOLS.map((toolId) => deployedOnce(client, toolboxId, toolId)),
  )
  if (!everything || !overHttp || !memory) throw new Error('a tool is missing')

  const { items: agents } = await client.call(listAgents, { query: {} })
  const known = agents.find(({ name }) => name === 'research-assistant')
  const pictured = { toolboxId, loggingInstanceId: overHttp.id }
  if (known) return { ...pictured, agentId: known.id }

  await client.call(createAgent, { body: { name: 'inbox-triage', description: 'Sorts mail and drafts answers' } })
  const { id: agentId } = await client.call(createAgent, {
    body: { name: 'research-assistant', description: 'Reads, compares and keeps notes' },
  })
  await client.call(grantToolboxAccess, { params: { agentId, toolboxId } })
  const tools = await give(client, agentId, everything, ['echo', 'get-sum', 'get-structured-content', 'get-tiny-image'])
  const notes = await give(client, agentId, memory, await capabilitiesOf(client, memory))
  const web = await give(client, agentId, overHttp, ['echo'])

  await call(client, notes, 'create_entities', {
    entities: [{ name: 'MCP', entityType: 'protocol', observations: ['revised on 2025-11-25'] }],
  })
  await call(client, tools, 'get-sum', { a: 19, b: 23 })
  await call(client, tools, 'get-env', {}) // denied, and on record as such
  await call(client, web, 'echo', { message: 'over streamable HTTP' })
  await call(client, notes, 'search_nodes', { query: 'MCP' })
  await call(client, tools, 'get-sum', { a: 'nineteen', b: 23 }) // the tool itself answers with an error
  await call(client, tools, 'echo', { message: 'hello toolbox' })
  return { ...pictured, agentId }
}

/** Takes the pictured secret's worth away: whoever reads it in a picture has nothing. */
export async function revokePicturedToken({ url, token }: Where, { agentId }: Pictured): Promise<void> {
  const client = createClient({ baseUrl: url, token })
  const { items } = await client.call(listAgentTokens, { params: { agentId } })
  for (const { id, name } of items)
    if (name === TOKEN_NAME) await client.call(revokeAgentToken, { params: { agentId, tokenId: id } })
}

async function deployedOnce(client: Client, toolboxId: string, toolId: string): Promise<ToolInstance> {
  const { items } = await client.call(listInstances, { params: { toolboxId }, query: {} })
  const found = items.find((instance) => instance.toolId === toolId)
  return found ? running(client, found) : deploy(client, toolboxId, toolId, toolId)
}

async function capabilitiesOf(client: Client, { toolboxId, id: instanceId }: ToolInstance): Promise<string[]> {
  const { capabilities } = await client.call(listCapabilities, { params: { toolboxId, instanceId } })
  return capabilities.map(({ name }) => name)
}

const give = (client: Client, agentId: string, { id }: ToolInstance, allow: string[]): Promise<ToolbeltItem> =>
  client.call(addToolbeltItem, { params: { agentId }, body: { instanceId: id, allow } })

/** One call as the agent. A refusal is what some of the pictures are to show. */
async function call(client: Client, { agentId, id }: ToolbeltItem, capability: string, args: Record<string, unknown>) {
  try {
    await client.call(executeCapability, {
      params: { agentId, toolbeltItemId: id },
      body: { capability, arguments: args },
    })
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error
  }
}
