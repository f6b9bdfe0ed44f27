import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { eq } from 'drizzle-orm'
import { FIRST_ACCOUNT, FIRST_USER } from './accounts/first-account.ts'
import { signInUrl } from './accounts/sign-in-link.store.ts'
import { furnish, openTestControlPlane, type TestControlPlane } from './control-plane.testing.ts'
import { ownNames } from './http/same-site.ts'
import {
  activities,
  agents,
  calls,
  capabilityPermissions,
  instances,
  oauthGrants,
  toolboxes,
} from './store/schema/index.ts'

/** A served control plane, with the page, whose tools, clients, calls and activity all say `words` wherever strangers choose them. */
export async function openControlPlaneSaying(words: string, pageDir: string) {
  let plane: TestControlPlane | undefined
  const server = createServer((request, response) => plane?.listener(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const origin = `http://localhost:${port}`
  plane = await openTestControlPlane(undefined, {
    publicUrl: origin,
    own: ownNames({ host: '127.0.0.1', port }, origin),
    pageDir,
  })
  const { store, link, close } = plane
  const { ids } = await furnish(store, FIRST_ACCOUNT, FIRST_USER)
  const of = { accountId: FIRST_ACCOUNT }
  await store.system(async (tx) => {
    const capability = {
      name: words,
      title: words,
      description: words,
      inputSchema: { type: 'object', title: words, properties: { [words]: { type: 'string', description: words } } },
      annotations: { title: words },
      digest: words,
    }
    await tx
      .update(toolboxes)
      .set({ dtmaVersion: words, machine: { hostname: words, os: words, arch: words } })
      .where(eq(toolboxes.id, ids.toolboxId))
    await tx
      .update(instances)
      .set({ capabilities: [capability], refusal: { generation: 1, message: words } })
      .where(eq(instances.id, ids.instanceId))
    await tx.update(agents).set({ description: words }).where(eq(agents.id, ids.agentId))
    const pinned = { ...capability, description: `${words} before`, digest: 'before' }
    await tx
      .insert(capabilityPermissions)
      .values({ ...of, toolbeltItemId: ids.toolbeltItemId, capability: words, pinned })
    await tx.update(oauthGrants).set({ clientName: words, redirectHost: words }).where(eq(oauthGrants.id, ids.grantId))
    await tx.insert(activities).values({
      ...of,
      id: 'act_0000000000000000',
      actor: words,
      action: 'agent.created',
      subject: ids.agentId,
      toolboxId: ids.toolboxId,
      message: words,
    })
    await tx.insert(calls).values({
      ...of,
      id: 'call_0000000000000000',
      agentId: ids.agentId,
      agentName: words,
      instanceId: ids.instanceId,
      instanceName: words,
      capability: words,
      outcome: 'denied',
      code: words,
      startedAt: new Date(),
      durationMs: 1,
      argumentDigest: words,
      argumentBytes: 1,
    })
  })
  return {
    origin,
    ids,
    signInLink: signInUrl(origin, await link(FIRST_USER)),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await close()
    },
  }
}
