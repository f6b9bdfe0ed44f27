import type { Capability } from '@agentopia/dtma/contract'
import type { Clock } from '../reconcile/clock.ts'
import type { Store } from '../store/connect.ts'
import { authorise, type BeltItem, type Toolbelt } from './authorise.ts'
import { cleanJson } from './clean-text.ts'
import { gatewayNameOf } from './names.ts'
import { readToolbelt } from './toolbelt.store.ts'

/** Where a name at the gateway leads. */
interface Entry {
  readonly item: BeltItem
  /** The capability's name, as its server knows it. */
  readonly capability: string
}

/** A toolbelt ready to be asked. */
export interface OpenToolbelt {
  readonly toolbelt: Toolbelt
  readonly entries: ReadonlyMap<string, Entry>
  /** `undefined` for a name that leads nowhere. What it finds may still be denied. */
  resolve(gatewayName: string): Entry | undefined
  /** The descriptions of all that may be called, as MCP lists them; always in the same order. */
  readonly listed: readonly Readonly<Record<string, unknown>>[]
}

/** The toolbelts of agents that called a moment ago. */
export interface Toolbelts {
  /** @returns `undefined` when there is no such agent in the account. */
  of(accountId: string, agentId: string): Promise<OpenToolbelt | undefined>
  /** Something that decides about calls changed in this account; or somewhere, when it is not said where. */
  forget(accountId?: string): void
}

/** A change that no announcement told us of holds within this time. */
const MEMORY_MS = 5_000
const MOST_ACCOUNTS = 10_000

type Known = { readonly opened: Promise<OpenToolbelt | undefined>; readonly until: number }

/** @param read Reads one agent's toolbelt as it is now. */
export function createToolbelts({
  store,
  clock,
  read = readToolbelt,
}: {
  readonly store: Pick<Store, 'tenant'>
  readonly clock: Pick<Clock, 'now'>
  readonly read?: typeof readToolbelt
}): Toolbelts {
  const known = new Map<string, Map<string, Known>>()

  async function load(accountId: string, agentId: string): Promise<OpenToolbelt | undefined> {
    const toolbelt = await store.tenant(accountId, (tx) => read(tx, agentId))
    return toolbelt && openToolbelt(toolbelt)
  }

  function agentsOf(accountId: string): Map<string, Known> {
    const agents = known.get(accountId) ?? new Map<string, Known>()
    known.set(accountId, agents)
    if (known.size > MOST_ACCOUNTS) known.delete(known.keys().next().value!)
    return agents
  }

  return {
    of(accountId, agentId) {
      const agents = agentsOf(accountId)
      const found = agents.get(agentId)
      if (found && clock.now() < found.until) return found.opened
      const opened = load(accountId, agentId)
      agents.set(agentId, { opened, until: clock.now() + MEMORY_MS })
      const unlessUseful = () => {
        if (agents.get(agentId)?.opened === opened) agents.delete(agentId)
      }
      opened.then((belt) => belt ?? unlessUseful(), unlessUseful)
      return opened
    },
    forget: (accountId) => void (accountId === undefined ? known.clear() : known.delete(accountId)),
  }
}

/** Gives every capability its name; one that two of them would share is given to neither. */
export function openToolbelt(toolbelt: Toolbelt): OpenToolbelt {
  const entries = new Map<string, Entry>()
  const shared = new Set<string>()
  for (const item of toolbelt.items)
    for (const capability of new Set(item.instance.capabilities.map(({ name }) => name))) {
      const gatewayName = gatewayNameOf(item.instance.name, capability)
      if (entries.has(gatewayName)) shared.add(gatewayName)
      entries.set(gatewayName, { item, capability })
    }
  for (const gatewayName of shared) entries.delete(gatewayName)

  const listed = [...entries].flatMap(([gatewayName, { item, capability }]) => {
    const decision = authorise(toolbelt, item, capability)
    return decision.allowed ? [describe(gatewayName, decision.capability)] : []
  })
  return { toolbelt, entries, listed, resolve: (gatewayName) => entries.get(gatewayName) }
}

const describe = (gatewayName: string, { digest: _, ...described }: Capability): Readonly<Record<string, unknown>> => ({
  ...cleanJson(withoutHeaders(described)),
  name: gatewayName,
})

/** Copying arguments into headers is for the server's own network; here it would only put them into access logs. */
const withoutHeaders = ({ inputSchema, ...rest }: Omit<Capability, 'digest'>) => ({
  ...rest,
  inputSchema: JSON.parse(JSON.stringify(inputSchema), (key, value: unknown) =>
    key === 'x-mcp-header' && typeof value === 'string' ? undefined : value,
  ) as Record<string, unknown>,
})
