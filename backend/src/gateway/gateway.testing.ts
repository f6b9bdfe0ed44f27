import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Capability } from '@agentopia/dtma/contract'
import { eq } from 'drizzle-orm'
import { pino } from 'pino'
import { createConnectedFinder } from '../accounts/oauth/find-connected.ts'
import { insertAgentToken } from '../agents/agent-token.store.ts'
import { createAgentFinder } from '../agents/find-agent.ts'
import { createAsking } from '../approvals/ask-person.ts'
import { listCallRecords } from '../calls/call.store.ts'
import { openCallJournal } from '../calls/call-journal.ts'
import { createCallRecorder } from '../calls/call-recorder.ts'
import { createChainSeal } from '../calls/chain-seal.ts'
import { type Catalog, createCatalog } from '../catalog/catalog.ts'
import { withOwnTools } from '../credentials/agent-belt.ts'
import { createCredentialSealer } from '../credentials/credential.seal.ts'
import { listenForChanges } from '../events/changes.ts'
import { createCallGuard } from '../guard/call-guard.ts'
import { createOwnSecrets, holderOf } from '../guard/own-secrets.ts'
import { createSecretAudit } from '../guard/secret-audit.ts'
import { createBulkhead } from '../http/bulkhead.ts'
import { ownNames } from '../http/same-site.ts'
import { newId } from '../new-id.ts'
import { createPayloadKeeper } from '../payloads/payload-keeper.ts'
import { systemClock } from '../reconcile/clock.ts'
import type { Store } from '../store/connect.ts'
import {
  agents,
  agentToolboxAccess,
  capabilityPermissions,
  instances,
  toolbeltItems,
  toolboxes,
} from '../store/schema/index.ts'
import { createSealer } from '../store/seal.ts'
import { openTestStore } from '../store/testing.ts'
import { createAdmission } from './admission.ts'
import { createAskFirst } from './ask-first.ts'
import type { Toolbelt } from './authorise.ts'
import { createMakeCall } from './call.ts'
import { withCircuitBreaker } from './circuit-breaker.ts'
import { createExecuteOnce } from './execute-once.ts'
import { FAKE_CAPABILITIES, openFakeDtma } from './fake-dtma.testing.ts'
import { createGateway } from './gateway.ts'
import { createKillSwitch } from './kill-switch.ts'
import { createRefusals } from './refusals.ts'
import type { Road } from './road.ts'
import { createSearchAddresses } from './search-addresses.ts'
import { readToolbelt } from './toolbelt.store.ts'
import { createToolbelts } from './toolbelts.ts'
import { createCallUpstream } from './upstream.ts'

const ACCOUNT = 'account_1'
export const RESOURCE = 'https://tools.example.com/mcp'

export type TestGateway = Awaited<ReturnType<typeof openTestGateway>>

interface TestGatewayOptions {
  readonly timeoutMs?: number
  readonly atOnce?: number
  readonly waiting?: number
  /** False: no change is heard of. */
  readonly announced?: boolean
  /** To toolboxes; absent: to the fake DTMA. */
  readonly road?: Road
  readonly port?: number
  /** Which tools take secrets; absent: none. They run where all others do. */
  readonly catalog?: Catalog
  /** Calls in one minute of an agent without limits; absent: any number. */
  readonly usualCalls?: number
}

/** The gateway as it is composed, over real sockets, between an agent and a fake DTMA. */
export async function openTestGateway(options: TestGatewayOptions = {}) {
  const { timeoutMs = 5_000, atOnce = 4, waiting = 4, announced = true, road } = options
  const log = pino({ level: 'silent' })
  const store = await openTestStore()
  const dtma = await openFakeDtma()
  const directory = mkdtempSync(join(tmpdir(), 'agentopia-gateway-'))
  const seal = createChainSeal(Buffer.alloc(32, 7))
  const recorder = createCallRecorder({
    store,
    journal: openCallJournal(directory, 'run'),
    seal,
    clock: systemClock,
    log,
  })
  const finder = createAgentFinder({ store, clock: systemClock, log })
  const connected = createConnectedFinder({ store, clock: systemClock, log, resource: RESOURCE })
  const read = withOwnTools(readToolbelt, options.catalog ?? createCatalog([]))
  const toolbelts = createToolbelts({ store, clock: systemClock, read })
  const changes = await listenForChanges(store, log)
  changes.watch((change) => {
    if (!announced) return
    if (!change || change.noun === 'approval') asking.heard()
    if (change?.noun === 'approval') return
    toolbelts.forget(change?.account)
    killSwitch.recheck(change?.account)
    finder.forget()
    connected.forget()
  })
  const stop = new AbortController()
  const sealer = createSealer(Buffer.alloc(32, 7))
  const asking = createAsking({ store, sealer, newId, owner: newId('act'), log, signal: stop.signal })
  const bulkhead = createBulkhead({ atOnce, waiting, of: 'calls of this tool' })
  const callUpstream = withCircuitBreaker(createCallUpstream(road ?? dtma.road), systemClock)
  const seals = createCredentialSealer(createSealer(Buffer.alloc(32, 7)))
  const findOwnSecrets = createOwnSecrets({ store, seals, clock: systemClock })
  const payloads = createPayloadKeeper({ store, sealer: createSealer(Buffer.alloc(32, 7)), clock: systemClock, log })
  const secretAudit = createSecretAudit({ store, clock: systemClock, log })
  const guardOf = async (toolbelt: Toolbelt) =>
    createCallGuard(toolbelt.agent.secrets, await findOwnSecrets(holderOf(toolbelt)))
  const unguarded = createMakeCall({
    callUpstream,
    admit: createAdmission(store, systemClock, options.usualCalls ?? null),
    refusals: createRefusals(systemClock, options.usualCalls ?? null),
    askFirst: createAskFirst({
      askPerson: asking.ask,
      readToolbelt: (accountId, agentId) => store.tenant(accountId, (tx) => read(tx, agentId)),
    }),
    bulkhead,
    recorder,
    guardOf,
    secretAudit,
    payloads,
    clock: systemClock,
    newId,
  })
  const killSwitch = createKillSwitch({ makeCall: unguarded, toolbelts, log })
  const { makeCall } = killSwitch
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const own = ownNames({ host: '127.0.0.1', port }, 'https://tools.example.com')
  const gateway = createGateway({
    toolbelts,
    makeCall,
    executeOnce: createExecuteOnce({ store, sealer, clock: systemClock, log }),
    searchAddresses: createSearchAddresses({ guardOf, secretAudit }),
    callUpstream,
    findAgent: async (secret) => (await connected.find(secret)) ?? finder.find(secret),
    challenge: 'resource_metadata="https://tools.example.com/metadata"',
    sealer,
    clock: systemClock,
    own,
    version: '1.2.3',
    log,
    timeoutMs,
  })
  server.on('request', (request, response) => {
    if (!gateway(request, response)) response.writeHead(404).end('another door')
  })

  const seeded = await seed(store)
  return {
    store,
    dtma,
    seals,
    secretAudit,
    payloads,
    ...seeded,
    url: `http://127.0.0.1:${port}/mcp`,
    /** Every call on record, newest first. */
    async calls() {
      await recorder.flush()
      return store.tenant(ACCOUNT, (tx) => listCallRecords(tx, { limit: 10_000 }))
    },
    async close() {
      server.closeAllConnections()
      server.close()
      stop.abort()
      await asking.stopped
      await changes.stop()
      await recorder.stop()
      await dtma[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

type More = Partial<Record<'plainNames' | 'prompts' | 'resources', boolean>> & {
  readonly capabilities?: readonly Capability[]
}

/** An agent with a token, and two instances of one tool: all of the first granted but one capability, one of the second. */
async function seed(store: Store) {
  const agentId = newId('agent')
  const toolboxId = newId('toolbox')
  const of = { accountId: ACCOUNT }
  const granted = FAKE_CAPABILITIES.map(({ name }) => name).filter((name) => name !== 'never_granted')
  await store.system(async (tx) => {
    await tx.insert(toolboxes).values({ ...of, id: toolboxId, name: 'alpha', provider: 'join', status: 'active' })
    await tx.insert(agents).values({ ...of, id: agentId, name: 'helper' })
    await tx.insert(agentToolboxAccess).values({ ...of, agentId, toolboxId })
  })
  const allow = (toolbeltItemId: string, capabilities: readonly string[]) =>
    store.system((tx) =>
      tx
        .insert(capabilityPermissions)
        .values(capabilities.map((capability) => ({ ...of, toolbeltItemId, capability }))),
    )
  const add = async (name: string, allowed: readonly string[], more: More = {}) => {
    const { capabilities = FAKE_CAPABILITIES, ...switches } = more
    const instance = { ...of, id: newId('inst'), toolboxId, toolId: 'fake', name, config: {} }
    const item = { ...of, id: newId('belt'), agentId, instanceId: instance.id, ...switches }
    await store.system(async (tx) => {
      await tx.insert(instances).values({ ...instance, desired: 'running', capabilities: [...capabilities] })
      await tx.insert(toolbeltItems).values(item)
    })
    if (allowed.length > 0) await allow(item.id, allowed)
    return { instanceId: instance.id, itemId: item.id }
  }
  /** What a toolbox has discovered anew. */
  const discovered = (instanceId: string, capabilities: readonly Capability[]) =>
    store.system((tx) =>
      tx
        .update(instances)
        .set({ capabilities: [...capabilities] })
        .where(eq(instances.id, instanceId)),
    )
  const demo = await add('demo', granted)
  const other = await add('other', ['echo'])
  const { secret, token } = await store.system((tx) => insertAgentToken(tx, { id: agentId, ...of }, 'test'))
  return { agentId, toolboxId, demo, other, secret, tokenId: token.id, granted, add, allow, discovered }
}

export interface Posted {
  readonly status: number
  readonly headers: Headers
  readonly body: {
    readonly id: unknown
    readonly result: Readonly<Record<string, unknown>>
    readonly error: { readonly code: number; readonly message: string; readonly data?: Record<string, unknown> }
  }
}

/** One POST, as no client library would send it. */
export async function post(
  { url, secret }: Pick<TestGateway, 'url' | 'secret'>,
  body: string | Uint8Array | object,
  headers: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<Posted> {
  const isRaw = typeof body === 'string' || body instanceof Uint8Array
  const answer = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json', ...headers },
    body: isRaw ? (body as string) : JSON.stringify(body),
    ...(signal ? { signal } : {}),
  })
  const text = await answer.text()
  return { status: answer.status, headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) }
}

export const rpc = (method: string, params: object = {}, id: number | string = 1) => ({
  jsonrpc: '2.0',
  id,
  method,
  params,
})
export const toolCall = (name: string, args: object = {}, id: number | string = 1) =>
  rpc('tools/call', { name, arguments: args }, id)
