import { createHash } from 'node:crypto'
import { and, eq } from 'drizzle-orm'
import type { Store, Tx } from '../../store/connect.ts'
import { providers } from '../../store/schema/index.ts'
import type { SealedFor, Sealer } from '../../store/seal.ts'
import { type Budget, createBudget } from './budget.ts'
import { createDigitalOcean, type DigitalOcean } from './client.ts'
import { teamOf } from './scopes.ts'

export type ProviderRow = typeof providers.$inferSelect

/** The DigitalOcean of each account that gave us a token. */
export interface DigitalOceanAccounts {
  /** `undefined`: the account has none. */
  clientOf(accountId: string): Promise<DigitalOcean | undefined>
  /** For a token that is not stored yet. */
  clientWith(token: string): DigitalOcean
  /** Ids of the accounts that have one. */
  list(): Promise<string[]>
}

export interface AccountsDeps {
  readonly store: Store
  readonly sealer: Pick<Sealer, 'open'>
  readonly baseUrl: string
  readonly fetch: typeof fetch
  /** Milliseconds that only grow. */
  readonly steady: () => number
}

/** What the sealed token of an account belongs to. */
export const sealedTokenOf = (accountId: string): SealedFor => ({
  purpose: 'provider-token',
  accountId,
  recordId: 'digitalocean',
})

export async function findProviderRow(tx: Tx): Promise<ProviderRow | undefined> {
  const [row] = await tx.select().from(providers).where(eq(providers.provider, 'digitalocean'))
  return row
}

/** Writes down whose a token is that was given before this was asked. @throws {DigitalOceanError} */
export async function learnTeam(
  store: Store,
  { accountId, client }: { readonly accountId: string; readonly client: DigitalOcean },
  signal: AbortSignal,
): Promise<void> {
  const row = await store.tenant(accountId, findProviderRow)
  if (!row || row.teamId !== null || row.missingScopes.includes('account:read')) return
  const teamId = await teamOf(client, signal)
  if (teamId === undefined) return
  // Another token may have been given meanwhile.
  const same = and(eq(providers.id, row.id), eq(providers.token, row.token))
  await store.tenant(accountId, (tx) => tx.update(providers).set({ teamId }).where(same))
}

export function createAccounts({ store, sealer, baseUrl, fetch, steady }: AccountsDeps): DigitalOceanAccounts {
  /** By digest of the token: what DigitalOcean counts is the token. */
  const budgets = new Map<string, Budget>()

  function clientWith(token: string): DigitalOcean {
    const digest = createHash('sha256').update(token).digest('hex')
    const budget = budgets.get(digest) ?? createBudget(steady)
    budgets.set(digest, budget)
    return createDigitalOcean({ baseUrl, token, budget, fetch })
  }

  return {
    clientWith,
    async clientOf(accountId) {
      const row = await store.tenant(accountId, findProviderRow)
      return row && clientWith(sealer.open(row.token, sealedTokenOf(accountId)))
    },
    list: () =>
      store.system(async (tx) =>
        (
          await tx.select({ id: providers.accountId }).from(providers).where(eq(providers.provider, 'digitalocean'))
        ).map(({ id }) => id),
      ),
  }
}
