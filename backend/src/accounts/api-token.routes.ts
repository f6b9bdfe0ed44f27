import { createApiToken, listApiTokens, problem, revokeApiToken } from '@agentopia/api'
import { recordActivity } from '../events/activity.store.ts'
import { asUser, lowerRole } from '../http/caller.ts'
import type { Mount } from '../http/mount.ts'
import type { Store } from '../store/connect.ts'
import { deleteApiToken, insertApiToken, listApiTokensOf } from './api-token.store.ts'

export interface ApiTokenRouteDeps {
  readonly store: Store
  /** Makes a revocation hold at once. */
  readonly forgetTokens: () => void
}

export function apiTokenRoutes(mount: Mount, { store, forgetTokens }: ApiTokenRouteDeps): void {
  mount.reply(listApiTokens, async (_, { caller }) => {
    const { accountId, userId } = asUser(caller)
    return { items: await store.tenant(accountId, (tx) => listApiTokensOf(tx, userId)) }
  })

  mount.reply(createApiToken, async ({ body }, { caller }) => {
    const { accountId, userId, role, actor } = asUser(caller)
    if (lowerRole(role, body.role) !== body.role)
      throw problem('forbidden', `You are ${role}: a token of yours cannot be ${body.role}`)
    return store.tenant(accountId, async (tx) => {
      const made = await insertApiToken(tx, { accountId, userId, ...body })
      const message = `Created the API token ${body.name} (${body.role})`
      await recordActivity(tx, { accountId, actor, action: 'token.created', subject: made.token.id, message })
      return made
    })
  })

  mount.reply(revokeApiToken, async ({ params }, { caller }) => {
    const { accountId, userId, actor } = asUser(caller)
    await store.tenant(accountId, async (tx) => {
      const name = await deleteApiToken(tx, userId, params.tokenId)
      if (name === undefined) throw problem('token-not-found', `You have no token ${params.tokenId}`)
      const message = `Revoked the API token ${name}`
      await recordActivity(tx, { accountId, actor, action: 'token.revoked', subject: params.tokenId, message })
    })
    forgetTokens()
    return undefined
  })
}
