import {
  endConnection,
  finishConnection,
  listOAuthClients,
  problem,
  putOAuthClient,
  startConnection,
  type ToolOAuth,
} from '@agentopia/api'
import * as oauth from 'oauth4webapi'
import { getAgentRow } from '../agents/agent.store.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { findRecipe } from '../catalog/recipe-of.ts'
import { agentToolNameOf, wantAgentTool } from '../credentials/agent-tool.store.ts'
import type { CredentialSealer } from '../credentials/credential.seal.ts'
import {
  type CredentialPlace,
  findCredential,
  getCredentialPlace,
  getCredentialPlaceById,
} from '../credentials/credential.store.ts'
import { credentialViewOf, isComplete } from '../credentials/credential.values.ts'
import { recordActivity } from '../events/activity.store.ts'
import { asUser } from '../http/caller.ts'
import type { Mount } from '../http/mount.ts'
import type { Log } from '../log.ts'
import type { IdPrefix } from '../new-id.ts'
import type { Clock } from '../reconcile/clock.ts'
import { digestOf } from '../secret.ts'
import type { Store } from '../store/connect.ts'
import type { Sealer } from '../store/seal.ts'
import { type DiscoveryDeps, discover, serverKeyOf } from './connection.discovery.ts'
import {
  type AttemptRow,
  deleteConnection,
  findConnection,
  insertAttempt,
  placeAccessToken,
  refreshTokenOf,
  storeConnection,
  takeAttempt,
  verifierOf,
} from './connection.store.ts'
import { connectionViewOf, timesOf } from './connection.values.ts'
import {
  clientAt,
  findOAuthClient,
  listOAuthClientRows,
  oauthClientViewOf,
  storeOAuthClient,
} from './oauth-client.store.ts'
import type { TokenOutcome, TokenRequests } from './token-requests.ts'

export interface ConnectionRouteDeps extends DiscoveryDeps {
  readonly store: Store
  readonly catalog: Catalog
  readonly sealer: Sealer
  readonly seals: CredentialSealer
  readonly tokens: TokenRequests
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
  readonly newId: (prefix: IdPrefix) => string
  readonly publicUrl: string
  /** Wakes the reconciler of agent tools. */
  readonly wake: (name: string) => void
  /** Wakes the reconciler of connections. */
  readonly wakeConnection: (id: string) => void
  /** Ends what this process remembers of the account's toolbelts. */
  readonly forget: (accountId: string) => void
}

/** A person may take so long to consent. */
const ATTEMPT_MS = 10 * 60_000

export function connectionRoutes(mount: Mount, deps: ConnectionRouteDeps): void {
  const { store, catalog, sealer, seals, tokens, clock, log, newId, publicUrl } = deps
  const redirectUriOf = (issuer: string) => `${publicUrl}/connected/${serverKeyOf(issuer)}`

  mount.reply(startConnection, async ({ params }, { caller, signal }) => {
    const { accountId, userId } = asUser(caller)
    const place = await store.tenant(accountId, async (tx) => {
      const agent = await getAgentRow(tx, params.agentId)
      return getCredentialPlace(tx, agent.id, params.toolbeltItemId)
    })
    const wanted = oauthOf(place)
    const found = await discover(wanted, deps, signal)
    const { server, resource, scopes } = found
    const redirectUri = redirectUriOf(server.issuer)
    const { clientId } = await clientAt(found, redirectUri, accountId, deps, signal)

    const state = oauth.generateRandomState()
    const verifier = oauth.generateRandomCodeVerifier()
    const digest = digestOf(state)
    const expiresAt = new Date(clock.now() + ATTEMPT_MS)
    await store.tenant(accountId, (tx) =>
      insertAttempt(tx, {
        digest,
        accountId,
        toolbeltItemId: place.itemId,
        userId,
        server,
        redirectUri,
        field: wanted.field,
        resource: resource ?? null,
        scopes: [...scopes],
        verifier: sealer.seal(verifier, verifierOf({ digest, accountId })),
        expiresAt,
      }),
    )
    const authorizationUrl = new URL(server.authorizationEndpoint)
    for (const [name, value] of Object.entries({
      response_type: 'code',
      client_id: clientId,
      redirect_uri: redirectUri,
      state,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...(scopes.length > 0 ? { scope: scopes.join(' ') } : {}),
      ...(resource === undefined ? {} : { resource }),
    }))
      authorizationUrl.searchParams.set(name, value)
    return { authorizationUrl: authorizationUrl.href, expiresAt: expiresAt.toISOString() }
  })

  mount.reply(finishConnection, async ({ body }, { caller, signal }) => {
    const { accountId, userId, actor } = asUser(caller)
    const { server: key, ...came } = body
    const taken = await store.tenant(accountId, async (tx) => {
      const attempt = await takeAttempt(tx, digestOf(body.state), userId, new Date(clock.now()))
      return attempt && { attempt, client: await findOAuthClient(tx, accountId, attempt.server.issuer) }
    })
    if (!taken) throw problem('connection-refused', 'No such attempt is open for you; it may have been used already')
    const { attempt, client } = taken
    // Sent to one server, come back from another: the code is not given to either.
    if (key !== serverKeyOf(attempt.server.issuer))
      throw problem('connection-refused', 'The answer came to the address of another authorization server')
    if (!client) throw problem('oauth-client-missing', 'The client was taken away meanwhile')

    const verifier = sealer.open(attempt.verifier, verifierOf(attempt))
    const outcome = await tokens.byCode(
      { server: attempt.server, client, resource: attempt.resource },
      parametersOf(came),
      { state: body.state, redirectUri: attempt.redirectUri, verifier },
      signal,
    )
    const host = new URL(attempt.server.issuer).host
    if (outcome.kind === 'refused') throw problem('provider-refused', `${host}: ${outcome.reason}`)
    if (outcome.kind === 'unknown')
      throw problem('provider-unavailable', `${host}: ${outcome.reason}. A code is good once: begin again.`)

    const { connectionId, place, credential } = await store.tenant(accountId, (tx) =>
      connect(tx, attempt, outcome, actor),
    )
    deps.forget(accountId)
    deps.wake(agentToolNameOf(place.instanceId, place.agentId))
    deps.wakeConnection(connectionId)
    return { agentId: place.agentId, credential }
  })

  async function connect(
    tx: Parameters<Parameters<Store['tenant']>[1]>[0],
    { accountId, toolbeltItemId, server, field, resource, scopes }: AttemptRow,
    { refreshToken, accessToken, ...granted }: Extract<TokenOutcome, { kind: 'granted' }>,
    connectedBy: string,
  ) {
    const place = await getCredentialPlaceById(tx, toolbeltItemId)
    const agent = await getAgentRow(tx, place.agentId)
    const id = newId('conn')
    const sealed = refreshToken && sealer.seal(refreshToken, refreshTokenOf({ id, accountId, version: 1 }))
    await placeAccessToken(tx, seals, { accountId, toolbeltItemId, field }, accessToken)
    await storeConnection(tx, {
      id,
      accountId,
      toolbeltItemId,
      server,
      field,
      resource,
      scopes: [...(granted.scopes ?? scopes)],
      refreshToken: sealed ?? null,
      connectedBy,
      ...timesOf(clock.now(), { ...granted, refreshToken }, false),
    })
    const fields = findRecipe(catalog, place)?.secrets ?? []
    const stored = await findCredential(tx, toolbeltItemId)
    // Tried at once: nobody shall learn from an agent that it does not work.
    if (isComplete(fields, stored)) await wantAgentTool(tx, place)
    await recordActivity(tx, {
      accountId,
      actor: connectedBy,
      action: 'connection.made',
      subject: place.agentId,
      toolboxId: place.toolboxId,
      message: `Connected ${place.instanceName} of ${agent.name} to ${new URL(server.issuer).host}`,
    })
    const view = connectionViewOf(oauthOf(place), await findConnection(tx, toolbeltItemId))
    return { connectionId: id, place, credential: credentialViewOf(toolbeltItemId, fields, stored, view) }
  }

  mount.reply(endConnection, async ({ params }, { caller, signal }) => {
    const { accountId, actor } = asUser(caller)
    const ended = await store.tenant(accountId, async (tx) => {
      const agent = await getAgentRow(tx, params.agentId)
      const place = await getCredentialPlace(tx, agent.id, params.toolbeltItemId)
      const row = await findConnection(tx, place.itemId)
      if (!row) return undefined
      const client = await findOAuthClient(tx, accountId, row.server.issuer)
      await deleteConnection(tx, place.itemId)
      await placeAccessToken(tx, seals, row, undefined)
      await recordActivity(tx, {
        accountId,
        actor,
        action: 'connection.ended',
        subject: agent.id,
        toolboxId: place.toolboxId,
        message: `Ended the connection of ${place.instanceName} of ${agent.name} to ${new URL(row.server.issuer).host}`,
      })
      return { place, row, client }
    })
    if (!ended) return undefined
    const { place, row, client } = ended
    deps.forget(accountId)
    deps.wake(agentToolNameOf(place.instanceId, place.agentId))
    if (client && row.refreshToken !== null)
      await tokens
        .revoke({ server: row.server, client }, sealer.open(row.refreshToken, refreshTokenOf(row)), signal)
        .catch((err: unknown) =>
          log.warn({ err, issuer: row.server.issuer }, 'refresh token forgotten, not taken back'),
        )
    return undefined
  })

  mount.reply(listOAuthClients, async (_, { caller }) => {
    const rows = await store.tenant(caller.accountId, listOAuthClientRows)
    return { items: rows.map(oauthClientViewOf) }
  })

  mount.reply(putOAuthClient, ({ body: { issuer, clientId, clientSecret } }, { caller: { accountId, actor } }) =>
    store.tenant(accountId, async (tx) => {
      const redirectUri = redirectUriOf(issuer)
      const client = { accountId, issuer, clientId, clientSecret, registered: 'by-hand', redirectUri } as const
      const row = await storeOAuthClient(tx, sealer, client)
      const message = `Stored how ${new URL(issuer).host} knows this account`
      await recordActivity(tx, { accountId, actor, action: 'connection.client', subject: accountId, message })
      return oauthClientViewOf(row)
    }),
  )

  /** @throws {ProblemError} `invalid-credential` for a tool that is not connected this way. */
  function oauthOf(place: CredentialPlace): ToolOAuth {
    const wanted = findRecipe(catalog, place)?.oauth
    if (!wanted)
      throw problem('invalid-credential', `${place.instanceName} is not connected by consent; store its secrets`)
    return wanted
  }
}

const parametersOf = (came: Readonly<Record<string, string | undefined>>): URLSearchParams =>
  new URLSearchParams(
    Object.entries(came).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as [string, string]])),
  )
