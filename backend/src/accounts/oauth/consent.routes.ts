import {
  decideAuthorization,
  describeAuthorization,
  disconnectClient,
  listConnectedClients,
  problem,
} from '@agentopia/api'
import { getAgentRow, insertAgent } from '../../agents/agent.store.ts'
import { recordActivity } from '../../events/activity.store.ts'
import { asUser } from '../../http/caller.ts'
import type { Mount } from '../../http/mount.ts'
import { newId } from '../../new-id.ts'
import type { Clock } from '../../reconcile/clock.ts'
import type { Store, Tx } from '../../store/connect.ts'
import { createAttemptLimit } from '../attempt-limit.ts'
import { type AuthorizationServer, judge, one, queryOfWord, type Verdict } from './authorization-request.ts'
import { isDocumentAddress } from './client-document.ts'
import type { ClientFinder } from './find-client.ts'
import { deleteGrant, findLastAgent, insertGrant, listConnectedClients as listClients } from './grant.store.ts'
import { OAuthError } from './oauth-error.ts'
import { redirectHostOf, staysHere, withParameters } from './redirect-uri.ts'

export interface ConsentRouteDeps {
  readonly store: Store
  readonly clock: Clock
  readonly server: AuthorizationServer
  readonly clients: ClientFinder
  /** A grant ended: nobody may be remembered. */
  readonly forgetConnected: () => void
}

/** Each may make us look at another site. */
const LOOKS_PER_MINUTE = 60

/** What people decide about MCP clients: whether one may act, as which agent, and for how long. */
export function consentRoutes(mount: Mount, deps: ConsentRouteDeps): void {
  const { store, clock, server, clients, forgetConnected } = deps
  const looks = createAttemptLimit({ perMinute: LOOKS_PER_MINUTE, clock, what: 'requests of clients by this person' })

  mount.reply(describeAuthorization, async ({ query }, { caller, signal }) => {
    const { userId, accountId } = asUser(caller)
    const verdict = await verdictOf(query.request, userId, signal)
    const { client, redirectUri } = verdict.kind === 'asked' ? verdict.request : verdict
    const lastAgentId = await store.tenant(accountId, (tx) => findLastAgent(tx, client.id, userId))
    return {
      client: {
        name: client.name,
        redirectHost: redirectHostOf(redirectUri),
        staysHere: staysHere(redirectUri),
        ...(isDocumentAddress(client.id) ? { documentHost: new URL(client.id).host } : {}),
      },
      ...(lastAgentId === undefined ? {} : { lastAgentId }),
      ...(verdict.kind === 'refused' ? { refusedTo: verdict.redirectTo } : {}),
    }
  })

  mount.reply(decideAuthorization, async ({ body }, { caller, signal }) => {
    const { accountId, userId, actor } = asUser(caller)
    const verdict = await verdictOf(body.request, userId, signal)
    if (verdict.kind === 'refused') return { redirectTo: verdict.redirectTo }
    const { client, redirectUri, codeChallenge, state } = verdict.request
    const answer = (parameters: Record<string, string>) => ({
      redirectTo: withParameters(redirectUri, { ...parameters, state, iss: server.issuer }),
    })
    const { decision } = body
    if (decision.kind === 'refuse') return answer({ error: 'access_denied', error_description: 'the person said no' })

    return store.tenant(accountId, async (tx) => {
      const agent =
        decision.kind === 'agent' ? await getAgentRow(tx, decision.agentId) : await register(tx, decision.name)
      const { code } = await insertGrant(
        tx,
        {
          accountId,
          agentId: agent.id,
          userId,
          clientId: client.id,
          clientName: client.name,
          redirectHost: redirectHostOf(redirectUri),
          resource: server.resource,
          redirectUri,
          codeChallenge,
        },
        new Date(clock.now()),
      )
      const message = `Let ${client.name} (${redirectHostOf(redirectUri)}) act as ${agent.name}`
      await recordActivity(tx, { accountId, actor, action: 'client.connected', subject: agent.id, message })
      return answer({ code })
    })

    async function register(tx: Tx, name: string) {
      const agent = await insertAgent(tx, { id: newId('agent'), accountId, name, description: '' })
      const message = `Registered the agent ${name}`
      await recordActivity(tx, { accountId, actor, action: 'agent.created', subject: agent.id, message })
      return agent
    }
  })

  mount.reply(listConnectedClients, ({ params }, { caller }) =>
    store.tenant(caller.accountId, async (tx) => ({
      items: await listClients(tx, (await getAgentRow(tx, params.agentId)).id),
    })),
  )

  mount.reply(disconnectClient, async ({ params }, { caller }) => {
    await store.tenant(caller.accountId, async (tx) => {
      const agent = await getAgentRow(tx, params.agentId)
      const name = await deleteGrant(tx, agent.id, params.grantId)
      if (name === undefined) throw problem('client-not-found', `${agent.name} has no client ${params.grantId}`)
      await recordActivity(tx, {
        accountId: agent.accountId,
        actor: caller.actor,
        action: 'client.disconnected',
        subject: agent.id,
        message: `Disconnected ${name} from ${agent.name}`,
      })
    })
    forgetConnected()
    return undefined
  })

  /** @throws {ProblemError} `authorization-refused` when nobody but the person can be told; `rate-limited`. */
  async function verdictOf(word: string, userId: string, signal: AbortSignal) {
    looks.take(userId)
    const query = queryOfWord(word)
    const clientId = query && one(query, 'client_id')
    if (!query || clientId === undefined)
      throw problem('authorization-refused', 'The address does not say which client asks')
    const client = await clients.any(clientId, signal).catch((error: unknown) => {
      throw error instanceof OAuthError ? problem('authorization-refused', error.message) : error
    })
    const verdict = judge(query, client, server)
    if (verdict.kind === 'wrong') throw problem('authorization-refused', verdict.detail)
    return verdict satisfies Exclude<Verdict, { kind: 'wrong' }>
  }
}
