import { problem, type RegistryCredential } from '@agentopia/api'
import { asc, count, eq } from 'drizzle-orm'
import type { Tx } from '../store/connect.ts'
import { registryCredentials } from '../store/schema/index.ts'
import type { SealedFor } from '../store/seal.ts'

type RegistryRow = typeof registryCredentials.$inferSelect

/** As many as one page shows. */
const MOST_REGISTRIES = 50

/** What the sealed password of an account for a registry belongs to. */
export const sealedPasswordOf = (accountId: string, registry: string): SealedFor => ({
  purpose: 'registry-password',
  accountId,
  recordId: registry,
})

export const listRegistryRows = (tx: Tx): Promise<RegistryRow[]> =>
  tx.select().from(registryCredentials).orderBy(asc(registryCredentials.registry))

/** @throws {ProblemError} `registry-limit` */
export async function storeRegistry(
  tx: Tx,
  { accountId, registry, ...facts }: Omit<RegistryRow, 'createdAt'>,
): Promise<RegistryRow> {
  const [row] = await tx
    .insert(registryCredentials)
    .values({ accountId, registry, ...facts })
    .onConflictDoUpdate({ target: [registryCredentials.accountId, registryCredentials.registry], set: facts })
    .returning()
  const [all] = await tx.select({ count: count() }).from(registryCredentials)
  if ((all?.count ?? 0) > MOST_REGISTRIES)
    throw problem('registry-limit', `An account has credentials for ${MOST_REGISTRIES} registries at most`)
  return row!
}

/** @throws {ProblemError} `registry-not-found` */
export async function deleteRegistry(tx: Tx, registry: string): Promise<void> {
  const [gone] = await tx.delete(registryCredentials).where(eq(registryCredentials.registry, registry)).returning()
  if (!gone) throw problem('registry-not-found', `The account has no credential for ${registry}`)
}

export const registryViewOf = ({ registry, username, changedAt }: RegistryRow): RegistryCredential => ({
  registry,
  username,
  changedAt: changedAt.toISOString(),
})
