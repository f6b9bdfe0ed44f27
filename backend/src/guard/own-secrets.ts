import { and, eq } from 'drizzle-orm'
import type { ToolAddress } from '../credentials/agent-belt.ts'
import type { CredentialSealer } from '../credentials/credential.seal.ts'
import type { Toolbelt } from '../gateway/authorise.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store } from '../store/connect.ts'
import { credentials, toolbeltItems } from '../store/schema/index.ts'
import { createOwnSecretFinder, type OwnSecretFinder } from './own-secret.ts'

/** What finds the secrets that an agent's tools run with. `undefined`: it has none. */
export type FindOwnSecrets = (toolbelt: Toolbelt) => Promise<OwnSecretFinder | undefined>

export interface OwnSecretsDeps {
  readonly store: Pick<Store, 'tenant'>
  readonly seals: Pick<CredentialSealer, 'open'>
  readonly clock: Pick<Clock, 'now'>
}

interface Known {
  /** Of the credentials that it was made of. */
  readonly versions: string
  readonly finder: Promise<OwnSecretFinder>
  until: number
}

/** An agent that has not called for so long has none of its secrets in this process. */
const MEMORY_MS = 60_000
const MOST_AGENTS = 10_000

/** Opens the credentials of agents that call, once for each version, and forgets them soon after the last call. */
export function createOwnSecrets({ store, seals, clock }: OwnSecretsDeps): FindOwnSecrets {
  const known = new Map<string, Known>()

  const open = (accountId: string, agentId: string): Promise<OwnSecretFinder> =>
    store.tenant(accountId, async (tx) => {
      const rows = await tx
        .select({ credential: credentials })
        .from(credentials)
        .innerJoin(toolbeltItems, eq(toolbeltItems.id, credentials.toolbeltItemId))
        .where(and(eq(toolbeltItems.agentId, agentId), eq(toolbeltItems.accountId, accountId)))
      const values: string[] = []
      for (const { credential } of rows)
        values.push(...Object.values(await seals.open(tx, credential, credential.sealed)))
      return createOwnSecretFinder(values)
    })

  function forgetIdle(now: number): void {
    // The one that called last stands last.
    for (const [agentId, { until }] of known) {
      if (until > now && known.size <= MOST_AGENTS) return
      known.delete(agentId)
    }
  }

  return async ({ agent, items }) => {
    const versions = versionsOf(items)
    if (versions === '') return undefined
    const now = clock.now()
    const found = known.get(agent.id)
    const one = found?.versions === versions ? found : { versions, finder: open(agent.accountId, agent.id), until: 0 }
    one.until = now + MEMORY_MS
    known.delete(agent.id)
    known.set(agent.id, one)
    forgetIdle(now)
    try {
      return await one.finder
    } catch (error) {
      if (known.get(agent.id) === one) known.delete(agent.id)
      throw error
    }
  }
}

/** Which credentials an agent has now, in one word; empty: none. */
const versionsOf = (items: Toolbelt['items']): string =>
  items
    .flatMap(({ instance }) => {
      const { own }: ToolAddress = instance.toolbox
      return own?.secretsVersion === undefined ? [] : [own.secretsVersion]
    })
    .join(' ')
