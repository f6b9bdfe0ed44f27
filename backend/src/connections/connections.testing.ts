import { createCatalog } from '../catalog/catalog.ts'
import { CURATED } from '../catalog/curated.ts'
import { type As, browserOf, furnish, openTestControlPlane, signedIn } from '../control-plane.testing.ts'
import type { ControlPlaneDeps } from '../control-plane.types.ts'
import { createCredentialSealer } from '../credentials/credential.seal.ts'
import { findCredential } from '../credentials/credential.store.ts'
import { createGuardedFetch, type GuardedFetch } from '../http/guarded-fetch.ts'
import { instances } from '../store/schema/index.ts'
import { createSealer } from '../store/seal.ts'
import { findConnection } from './connection.store.ts'
import { openFakeAuthorizationServer } from './fake-authorization-server.testing.ts'

const ACCOUNT = 'account_home'

/** As in production, but that this machine may be dialled, by plain http. */
export const openFetch: GuardedFetch = createGuardedFetch({ mayDial: () => true, plain: true, timeoutMs: 1_000 })

/** A control plane whose one tool is connected to a fake authorization server. */
export async function openTestConnections({
  fetch = openFetch,
  accessToken,
  ...more
}: {
  readonly fetch?: GuardedFetch
  /** What the server gives as access tokens. */
  readonly accessToken?: (issued: number) => string
} & Partial<Omit<ControlPlaneDeps, 'catalog' | 'upstream'>> = {}) {
  const server = await openFakeAuthorizationServer(accessToken)
  const secrets = ['token', 'other'].map((key) => ({
    key,
    title: key,
    required: key === 'token',
    target: { env: key.toUpperCase() },
  }))
  const oauth = { field: 'token', scopes: ['read', 'write'], resource: server.resource }
  const catalog = createCatalog([...CURATED, { ...CURATED[0]!, id: 'connected', secrets, oauth }])
  const plane = await openTestControlPlane(undefined, { catalog, upstream: { fetch, plain: true }, ...more })
  const { userId, ...operator } = await signedIn(plane, ACCOUNT, 'owner')
  const { ids } = await furnish(plane.store, ACCOUNT, userId)
  await plane.store.system((tx) => tx.update(instances).set({ toolId: 'connected' }))
  const sealer = createSealer(Buffer.alloc(32, 7))
  const seals = createCredentialSealer(sealer)
  const item = `/api/agents/${ids.agentId}/toolbelt/${ids.toolbeltItemId}`

  const start = async (as: As = operator) => plane.request('POST', `${item}/connection`, as)
  const finish = (came: object, as: As = operator) => plane.send('POST', '/api/connections', as, came)

  return {
    server,
    plane,
    sealer,
    seals,
    operator: operator as As,
    userId,
    ids,
    item,
    start,
    finish,
    /** All of it, as a person does it. */
    async connect(): Promise<Response> {
      const { authorizationUrl } = (await (await start()).json()) as { authorizationUrl: string }
      return finish(server.consent(authorizationUrl))
    },
    row: () => plane.store.system((tx) => findConnection(tx, ids.toolbeltItemId)),
    credential: () => plane.store.system((tx) => findCredential(tx, ids.toolbeltItemId)),
    /** The secrets that the tool is given. */
    async values() {
      return plane.store.system(async (tx) => {
        const found = await findCredential(tx, ids.toolbeltItemId)
        return found && seals.open(tx, found, found.sealed)
      })
    },
    anotherBrowser: () => browserOf(plane, userId),
    async close() {
      await plane.close()
      await server.close()
    },
  }
}
export type TestConnections = Awaited<ReturnType<typeof openTestConnections>>
