import type { Capability } from '@agentopia/dtma/contract'
import type { Clock } from '../reconcile/clock.ts'
import type { Store, Tx } from '../store/connect.ts'
import { authorise, type BeltItem, type Toolbelt } from './authorise.ts'
import { cleanJson } from './clean-text.ts'
import { gatewayNameOf } from './names.ts'

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
  /** The item whose instance has this name; `undefined`: the item whose names are its server's. */
  itemOf(instanceName: string | undefined): BeltItem | undefined
  /** The same for the endpoint of one instance: nothing else is there, and its names are its server's. */
  only(instanceName: string): OpenToolbelt | undefined
  /** The descriptions of all that may be called, as MCP lists them; always in the same order. */
  readonly listed: readonly Readonly<Record<string, unknown>>[]
}

/** The toolbelts of agents that called a moment ago. */
export interface Toolbelts {
  /** @returns `undefined` when there is no such agent in the account. */
  of(accountId: string, agentId: string): Promise<OpenToolbelt | undefined>
  /** Something that decides about calls changed in this account; or somewhere, when it is not said where. */
  forget(accountId?: string): void
  /** Told of each such change, for as long as the returned function was not called. */
  watch(accountId: string, changed: () => void): () => void
}

/** A change that no announcement told us of holds within this time. */
const MEMORY_MS = 5_000
const MOST_ACCOUNTS = 10_000

type Known = { readonly opened: Promise<OpenToolbelt | undefined>; readonly since: number }

/** @param read Reads one agent's toolbelt as it is now. */
export function createToolbelts({
  store,
  clock,
  read,
}: {
  readonly store: Pick<Store, 'tenant'>
  readonly clock: Pick<Clock, 'steady'>
  readonly read: (tx: Tx, agentId: string) => Promise<Toolbelt | undefined>
}): Toolbelts {
  const known = new Map<string, Map<string, Known>>()
  const watchers = new Map<string, Set<() => void>>()

  function tell(accountId: string): void {
    for (const changed of watchers.get(accountId) ?? []) changed()
  }

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
      if (found && clock.steady() - found.since < MEMORY_MS) return found.opened
      const opened = load(accountId, agentId)
      agents.set(agentId, { opened, since: clock.steady() })
      const unlessUseful = () => {
        if (agents.get(agentId)?.opened === opened) agents.delete(agentId)
      }
      opened.then((belt) => belt ?? unlessUseful(), unlessUseful)
      return opened
    },
    forget(accountId) {
      if (accountId === undefined) known.clear()
      else known.delete(accountId)
      for (const account of accountId === undefined ? watchers.keys() : [accountId]) tell(account)
    },
    watch(accountId, changed) {
      const ofAccount = watchers.get(accountId) ?? new Set()
      watchers.set(accountId, ofAccount.add(changed))
      return () => {
        ofAccount.delete(changed)
        if (ofAccount.size === 0 && watchers.get(accountId) === ofAccount) watchers.delete(accountId)
      }
    },
  }
}

/** Gives every capability its name; one that two of them would share is given to neither. */
export function openToolbelt(toolbelt: Toolbelt): OpenToolbelt {
  const entries = new Map<string, Entry>()
  const shared = new Set<string>()
  for (const item of toolbelt.items)
    for (const capability of new Set(item.instance.capabilities.map(({ name }) => name))) {
      const gatewayName = gatewayNameOf(instanceNameOf(item), capability)
      if (entries.has(gatewayName)) shared.add(gatewayName)
      entries.set(gatewayName, { item, capability })
    }
  for (const gatewayName of shared) entries.delete(gatewayName)

  const listed = [...entries].flatMap(([gatewayName, { item, capability }]) => {
    const decision = authorise(toolbelt, item, capability)
    return decision.allowed ? [describe(gatewayName, decision.capability)] : []
  })
  const narrowed = new Map<string, OpenToolbelt>()
  return {
    toolbelt,
    entries,
    listed,
    resolve: (gatewayName) => entries.get(gatewayName),
    itemOf: (instanceName) => toolbelt.items.find((item) => instanceNameOf(item) === instanceName),
    only(instanceName) {
      const item = toolbelt.items.find(({ instance }) => instance.name === instanceName)
      if (!item) return undefined
      const known = narrowed.get(instanceName) ?? openToolbelt({ ...toolbelt, items: [{ ...item, plainNames: true }] })
      narrowed.set(instanceName, known)
      return known
    },
  }
}

/** What stands before the names of an item; `undefined` where they are its server's. */
export const instanceNameOf = ({ plainNames, instance }: BeltItem): string | undefined =>
  plainNames ? undefined : instance.name

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
