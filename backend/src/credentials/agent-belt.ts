import { eq } from 'drizzle-orm'
import type { Catalog } from '../catalog/catalog.ts'
import { findRecipe } from '../catalog/recipe-of.ts'
import type { Toolbelt } from '../gateway/authorise.ts'
import type { Tx } from '../store/connect.ts'
import { credentials, instances, toolbeltItems } from '../store/schema/index.ts'
import type { DtmaAddress } from '../toolboxes/dtma-client.ts'
import { agentToolNameOf } from './agent-tool.store.ts'
import { secretsVersionOf } from './credential.values.ts'

/** Whose container a call goes to, when the tool has one for each agent. */
export interface OwnTool {
  readonly accountId: string
  readonly toolboxId: string
  readonly instanceId: string
  readonly instanceName: string
  /** The agent that was authenticated. Nothing that it sends can name another. */
  readonly agentId: string
  /** Of the values that its container must run with; `undefined`: a required one is missing. */
  readonly secretsVersion: string | undefined
}

/** The way to a tool: its toolbox, and the container when it is not the one that all share. */
export interface ToolAddress extends DtmaAddress {
  readonly own?: OwnTool
}

/** Where a call to an instance goes: the agent's own container, or the one that all share. Its name on the toolbox. */
export function containerOf({ id, toolbox }: { readonly id: string; readonly toolbox: DtmaAddress }): string {
  const { own }: ToolAddress = toolbox
  return own ? agentToolNameOf(own.instanceId, own.agentId) : id
}

type ReadToolbelt = (tx: Tx, agentId: string) => Promise<Toolbelt | undefined>
type ReadWithCatalog = (tx: Tx, agentId: string, catalog: Catalog) => Promise<Toolbelt | undefined>

/** Reads a toolbelt in which tools with secrets lead to the agent's own containers. */
export const withOwnTools =
  (read: ReadWithCatalog, catalog: Catalog): ReadToolbelt =>
  async (tx, agentId) => {
    const belt = await read(tx, agentId, catalog)
    if (!belt) return undefined
    const rows = await tx
      .select({ itemId: toolbeltItems.id, toolId: instances.toolId, recipe: instances.recipe, credential: credentials })
      .from(toolbeltItems)
      .innerJoin(instances, eq(instances.id, toolbeltItems.instanceId))
      .leftJoin(credentials, eq(credentials.toolbeltItemId, toolbeltItems.id))
      .where(eq(toolbeltItems.agentId, agentId))
    const found = new Map(rows.map((row) => [row.itemId, row]))
    const items = belt.items.map((item) => {
      const { credential, ...tool } = found.get(item.id)!
      const fields = findRecipe(catalog, tool)?.secrets ?? []
      if (fields.length === 0) return item
      const { instance } = item
      const own: OwnTool = {
        accountId: belt.agent.accountId,
        toolboxId: instance.toolbox.id,
        instanceId: instance.id,
        instanceName: instance.name,
        agentId: belt.agent.id,
        secretsVersion: secretsVersionOf(fields, credential ?? undefined),
      }
      const toolbox: ToolAddress = { ...instance.toolbox, own }
      return { ...item, instance: { ...instance, toolbox, lacksSecret: own.secretsVersion === undefined } }
    })
    return { ...belt, items }
  }
