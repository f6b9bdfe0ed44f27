import { addToolbeltItem, type Client, createAgent, createAgentToken, grantToolboxAccess } from '@agentopia/api'

export interface NewAgent {
  readonly agentId: string
  /** Of its toolbelt. */
  readonly itemId: string
  readonly token: string
  readonly mcpUrl: string
}

/** An agent that may call these capabilities of one tool instance. */
export async function newAgent(
  client: Client,
  {
    name = 'caller',
    toolboxId,
    instanceId,
    allow,
  }: {
    readonly name?: string
    readonly toolboxId: string
    readonly instanceId: string
    readonly allow: readonly string[]
  },
): Promise<NewAgent> {
  const { id: agentId } = await client.call(createAgent, { body: { name } })
  await client.call(grantToolboxAccess, { params: { agentId, toolboxId } })
  const body = { instanceId, allow: [...allow] }
  const { id: itemId } = await client.call(addToolbeltItem, { params: { agentId }, body })
  const { secret: token, mcpUrl } = await client.call(createAgentToken, { params: { agentId }, body: { name } })
  return { agentId, itemId, token, mcpUrl }
}
