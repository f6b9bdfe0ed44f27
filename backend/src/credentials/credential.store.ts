import { problem } from '@agentopia/api'
import { and, eq, type SQL, sql } from 'drizzle-orm'
import type { Tx } from '../store/connect.ts'
import { credentials, instances, toolbeltItems } from '../store/schema/index.ts'

export type CredentialRow = typeof credentials.$inferSelect

/** A toolbelt item with what a credential of it needs to know. */
export interface CredentialPlace {
  readonly itemId: string
  readonly accountId: string
  readonly agentId: string
  readonly instanceId: string
  readonly instanceName: string
  readonly toolboxId: string
  readonly toolId: string
  readonly recipe: typeof instances.$inferSelect.recipe
}

/** @throws {ProblemError} `toolbelt-item-not-found`, also for an item of another agent or account. */
export async function getCredentialPlace(tx: Tx, agentId: string, itemId: string): Promise<CredentialPlace> {
  const place = await findPlace(tx, and(eq(toolbeltItems.id, itemId), eq(toolbeltItems.agentId, agentId)))
  if (!place) throw problem('toolbelt-item-not-found', `The agent has no toolbelt item ${itemId}`)
  return place
}

/** @throws {ProblemError} `toolbelt-item-not-found`. */
export async function getCredentialPlaceById(tx: Tx, itemId: string): Promise<CredentialPlace> {
  const place = await findPlace(tx, eq(toolbeltItems.id, itemId))
  if (!place) throw problem('toolbelt-item-not-found', `There is no toolbelt item ${itemId}`)
  return place
}

async function findPlace(tx: Tx, where: SQL | undefined): Promise<CredentialPlace | undefined> {
  const [place] = await tx
    .select({
      itemId: toolbeltItems.id,
      accountId: toolbeltItems.accountId,
      agentId: toolbeltItems.agentId,
      instanceId: instances.id,
      instanceName: instances.name,
      toolboxId: instances.toolboxId,
      toolId: instances.toolId,
      recipe: instances.recipe,
    })
    .from(toolbeltItems)
    .innerJoin(instances, eq(instances.id, toolbeltItems.instanceId))
    .where(where)
  return place
}

/** @param lock Nobody else changes it until the transaction ends. */
export async function findCredential(tx: Tx, itemId: string, lock = false): Promise<CredentialRow | undefined> {
  if (lock)
    await tx.select({ id: toolbeltItems.id }).from(toolbeltItems).where(eq(toolbeltItems.id, itemId)).for('update')
  const [row] = await tx.select().from(credentials).where(eq(credentials.toolbeltItemId, itemId))
  return row
}

type NewCredential = Pick<CredentialRow, 'id' | 'accountId' | 'toolbeltItemId' | 'version' | 'sealed' | 'hints'>

/** Stores it, or its next version. It is to be tried anew. */
export async function storeCredential(tx: Tx, credential: NewCredential): Promise<CredentialRow> {
  const { version, sealed, hints } = credential
  const fresh = { version, sealed, hints, state: 'unverified', reason: null, changedAt: sql`now()` } as const
  const [row] = await tx
    .insert(credentials)
    .values({ ...credential, ...fresh })
    .onConflictDoUpdate({ target: credentials.id, set: fresh })
    .returning()
  return row!
}

export const deleteCredential = (tx: Tx, id: string) => tx.delete(credentials).where(eq(credentials.id, id))

/** Notes what came of trying this very version. @returns Whether that is news. */
export async function judgeCredential(
  tx: Tx,
  { id, version }: Pick<CredentialRow, 'id' | 'version'>,
  state: 'valid' | 'refused',
  reason: string | null = null,
): Promise<boolean> {
  const judged = await tx
    .update(credentials)
    .set({ state, reason })
    .where(and(eq(credentials.id, id), eq(credentials.version, version), sql`${credentials.state} <> ${state}`))
    .returning({ id: credentials.id })
  return judged.length > 0
}
