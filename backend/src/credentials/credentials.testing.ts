import type { SecretField } from '@agentopia/api'
import { eq } from 'drizzle-orm'
import { pino } from 'pino'
import { setAllowed } from '../agents/toolbelt.store.ts'
import { createCatalog } from '../catalog/catalog.ts'
import { CURATED } from '../catalog/curated.ts'
import type { Recipe } from '../catalog/recipe.ts'
import { readToolbelt } from '../gateway/toolbelt.store.ts'
import { openToolbelt } from '../gateway/toolbelts.ts'
import { newId } from '../new-id.ts'
import { systemClock } from '../reconcile/clock.ts'
import { runLoop } from '../reconcile/loop.ts'
import {
  accounts,
  agents,
  agentToolboxAccess,
  agentTools,
  capabilityPermissions,
  instances,
  toolbeltItems,
  toolboxes,
} from '../store/schema/index.ts'
import { createSealer } from '../store/seal.ts'
import { openTestStore } from '../store/testing.ts'
import { applyToolReports } from '../tools/instance.report.ts'
import { type ToolAddress, withOwnTools } from './agent-belt.ts'
import { agentToolReconciler } from './agent-tool.reconciler.ts'
import { agentToolNameOf, wantAgentTool } from './agent-tool.store.ts'
import { createAgentTools } from './agent-tools.ts'
import { createCredentialSealer } from './credential.seal.ts'
import { findCredential, storeCredential } from './credential.store.ts'
import { hintsOf } from './credential.values.ts'
import { fakeToolboxes } from './fake-toolbox.testing.ts'

const FIELDS: readonly SecretField[] = [
  { key: 'apiKey', title: 'API key', required: true, target: { env: 'API_KEY' } },
  { key: 'certificate', title: 'Certificate', required: false, target: { file: '/tmp/secrets/client.pem' } },
]

/** A tool that takes secrets: for tests alone. */
const TELLER: Recipe = { ...CURATED[0]!, id: 'teller', secrets: FIELDS }
export const catalogWithTeller = createCatalog([...CURATED, TELLER])

/** Calls by agents with secrets, as they are composed, over toolboxes in memory. */
export async function openTestCredentials({ idleMs = 900_000 } = {}) {
  const store = await openTestStore()
  const stop = new AbortController()
  const { signal } = stop
  const log = pino({ level: 'silent' })
  const toolbox = fakeToolboxes()
  const seals = createCredentialSealer(createSealer(Buffer.alloc(32, 7)))
  const loop = runLoop(
    agentToolReconciler({
      store,
      clock: systemClock,
      catalog: catalogWithTeller,
      seals,
      clientOf: toolbox.clientOf,
      owner: 'test',
      idleMs,
      onBegin: (name) => tools.cooled(name),
      onStep: (name, up) => tools.stepped(name, up),
    }),
    { signal, clock: systemClock, log, random: Math.random, resyncMs: 100 },
  )
  const tools = createAgentTools({
    store,
    catalog: catalogWithTeller,
    callUpstream: toolbox.callUpstream,
    clock: systemClock,
    log,
    wake: loop.wake,
    idleMs,
    signal,
  })
  const read = withOwnTools(readToolbelt, catalogWithTeller)

  /** An instance of the teller on a toolbox of its own, in this account. */
  async function instanceIn(accountId: string): Promise<{ accountId: string; toolboxId: string; instanceId: string }> {
    const toolboxId = newId('toolbox')
    const instanceId = newId('inst')
    await store.system(async (tx) => {
      await tx.insert(accounts).values({ id: accountId, name: accountId, slug: accountId }).onConflictDoNothing()
      await tx
        .insert(toolboxes)
        .values({ id: toolboxId, accountId, name: toolboxId.slice(8), provider: 'join', status: 'active' })
      await tx.insert(instances).values({
        id: instanceId,
        accountId,
        toolboxId,
        toolId: 'teller',
        name: 'teller',
        desired: 'running',
        config: {},
      })
    })
    return { accountId, toolboxId, instanceId }
  }

  /** An agent that may call `tell` of an instance. */
  async function agentOf({ accountId, toolboxId, instanceId }: Awaited<ReturnType<typeof instanceIn>>) {
    const agentId = newId('agent')
    const itemId = newId('belt')
    await store.system(async (tx) => {
      await tx.insert(agents).values({ id: agentId, accountId, name: agentId.slice(6) })
      await tx.insert(agentToolboxAccess).values({ accountId, agentId, toolboxId })
      await tx.insert(toolbeltItems).values({ id: itemId, accountId, agentId, instanceId })
      await tx.insert(capabilityPermissions).values({ accountId, toolbeltItemId: itemId, capability: 'tell' })
    })
    return {
      accountId,
      agentId,
      itemId,
      tool: agentToolNameOf(instanceId, agentId),
      give: (apiKey: string) =>
        store.tenant(accountId, async (tx) => {
          const before = await findCredential(tx, itemId, true)
          const next = { id: before?.id ?? newId('cred'), accountId, version: (before?.version ?? 0) + 1 }
          const sealed = await seals.seal(tx, next, { apiKey })
          await wantAgentTool(tx, { accountId, toolboxId, instanceId, agentId })
          return storeCredential(tx, { ...next, toolbeltItemId: itemId, sealed, hints: hintsOf({ apiKey }) })
        }),
      credential: () => store.tenant(accountId, (tx) => findCredential(tx, itemId)),
      allow: (capabilities: readonly string[]) => store.system((tx) => setAllowed(tx, accountId, itemId, capabilities)),
      /** Names of what the gateway lists to it. */
      listed: () =>
        store.tenant(accountId, async (tx) => openToolbelt((await read(tx, agentId))!).listed.map(({ name }) => name)),
      /** @returns What the tool says: the secret that it was started with. */
      async call(timeoutMs = 20_000): Promise<string> {
        const belt = await store.tenant(accountId, (tx) => read(tx, agentId))
        const [item] = belt!.items
        const address: ToolAddress = item!.instance.toolbox
        const { answer } = await tools.call({
          toolbox: address,
          instanceId: item!.instance.id,
          id: 1,
          request: '{}',
          timeoutMs,
          signal: new AbortController().signal,
        })
        if ('error' in answer) throw new Error(answer.error.message)
        return (answer.result['content'] as { text: string }[])[0]!.text
      },
    }
  }

  return {
    store,
    seals,
    toolbox,
    wake: loop.wake,
    /** The toolbox reports a tool, as it does with each heartbeat. */
    async report(tool: string) {
      await store.system(async (tx) => {
        const [row] = await tx.select().from(agentTools).where(eq(agentTools.id, tool))
        await applyToolReports(tx, [{ toolboxId: row!.toolboxId, tools: [toolbox.statusOf(tool)] }])
      })
      loop.wake(tool)
    },
    instanceIn,
    agentOf,
    async close() {
      stop.abort()
      await loop.stopped
      await store[Symbol.asyncDispose]()
    },
  }
}

/** Asks until it holds. */
export async function until(what: string, holds: () => Promise<boolean> | boolean, withinMs = 5_000): Promise<void> {
  for (const end = performance.now() + withinMs; performance.now() < end; ) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`waited in vain: ${what}`)
}
