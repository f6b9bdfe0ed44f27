import { and, eq } from 'drizzle-orm'
import type { ToolAddress } from '../credentials/agent-belt.ts'
import type { CredentialSealer } from '../credentials/credential.seal.ts'
import type { Toolbelt } from '../gateway/authorise.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store } from '../store/connect.ts'
import { credentials, toolbeltItems } from '../store/schema/index.ts'
import { createOwnSecretFinder, type OwnSecretFinder } from './own-secret.ts'

/** What finds the secrets that an agent's tools run with. `undefined`: it has none. */
export type FindOwnSecrets = (agent: SecretHolder) => Promise<OwnSecretFinder | undefined>

/** An agent, and which secrets it has now, in one word; empty: none. */
export interface SecretHolder {
  readonly accountId: string
  readonly agentId: string
  readonly versions: string
}

export interface OwnSecretsDeps {
  readonly store: Pick<Store, 'tenant'>
  readonly seals: Pick<CredentialSealer, 'open'>
  readonly clock: Pick<Clock, 'steady'>
}

interface Known {
  readonly finder: Promise<OwnSecretFinder>
  until: number
}

/** An agent that has not called for so long has none of its secrets in this process. */
const MEMORY_MS = 60_000
const MOST_KNOWN = 10_000

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
    for (const [key, { until }] of known) {
      if (until > now && known.size <= MOST_KNOWN) return
      known.delete(key)
    }
  }

  return async ({ accountId, agentId, versions }) => {
    if (versions === '') return undefined
    const now = clock.steady()
    const key = `${agentId} ${versions}`
    const one = known.get(key) ?? { finder: open(accountId, agentId), until: 0 }
    one.until = now + MEMORY_MS
    known.delete(key)
    known.set(key, one)
    forgetIdle(now)
    try {
      return await one.finder
    } catch (error) {
      if (known.get(key) === one) known.delete(key)
      throw error
    }
  }
}

/** The agent of a toolbelt, with the secrets of all of it. */
export const holderOf = ({ agent, items }: Toolbelt): SecretHolder => ({
  accountId: agent.accountId,
  agentId: agent.id,
  versions: items
    .flatMap(({ instance }) => {
      const { own }: ToolAddress = instance.toolbox
      return own?.secretsVersion === undefined ? [] : [own.secretsVersion]
    })
    .join(' '),
})
