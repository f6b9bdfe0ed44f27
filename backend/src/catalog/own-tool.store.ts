import { problem } from '@agentopia/api'
import { and, asc, eq, ne, sql } from 'drizzle-orm'
import { newId } from '../new-id.ts'
import type { Tx } from '../store/connect.ts'
import { imageArchives, instances, ownTools } from '../store/schema/index.ts'
import type { Recipe } from './recipe.ts'

/** The tools that the account of this transaction added. */
export const listOwnRecipes = async (tx: Tx): Promise<Recipe[]> =>
  (await tx.select({ recipe: ownTools.recipe }).from(ownTools).orderBy(asc(ownTools.toolId))).map(
    ({ recipe }) => recipe,
  )

export async function findOwnRecipe(tx: Tx, toolId: string): Promise<Recipe | undefined> {
  const [found] = await tx.select({ recipe: ownTools.recipe }).from(ownTools).where(eq(ownTools.toolId, toolId))
  return found?.recipe
}

/** @throws {ProblemError} `name-taken`; `image-not-found` when it is made of an archive that is not here. */
export async function insertOwnRecipe(tx: Tx, accountId: string, recipe: Recipe): Promise<void> {
  const { package: pkg } = recipe.spec
  if (pkg.type === 'oci' && pkg.archive !== undefined) {
    const isReady = and(eq(imageArchives.digest, pkg.archive), eq(imageArchives.state, 'ready'))
    // Locked: it cannot be removed until the tool is there.
    const [archive] = await tx.select({ digest: imageArchives.digest }).from(imageArchives).where(isReady).for('update')
    if (!archive) throw problem('image-not-found', `No archive of an image has the digest ${pkg.archive}`)
  }
  const [row] = await tx
    .insert(ownTools)
    .values({ id: newId('tool'), accountId, toolId: recipe.id, recipe })
    .onConflictDoNothing()
    .returning()
  if (!row) throw problem('name-taken', `A tool of the catalogue is called ${recipe.id}`)
}

/** @throws {ProblemError} `tool-not-found`, `tool-in-use` */
export async function deleteOwnRecipe(tx: Tx, toolId: string): Promise<Recipe> {
  const [gone] = await tx.delete(ownTools).where(eq(ownTools.toolId, toolId)).returning()
  if (!gone) throw problem('tool-not-found', `The account has added no tool ${toolId}`)
  const deployed = and(eq(instances.toolId, toolId), ne(instances.desired, 'absent'))
  const [one] = await tx.select({ name: instances.name }).from(instances).where(deployed).limit(1)
  if (one) throw problem('tool-in-use', `${toolId} is deployed as ${one.name}`)
  return gone.recipe
}

/** Whether a tool of the account, or an instance of one, is made of this archive. */
export async function usesArchive(tx: Tx, digest: string): Promise<boolean> {
  const isMadeOfIt = (recipe: typeof ownTools.recipe | typeof instances.recipe) =>
    sql`${recipe}->'spec'->'package'->>'archive' = ${digest}`
  const [tool] = await tx.select({ id: ownTools.id }).from(ownTools).where(isMadeOfIt(ownTools.recipe)).limit(1)
  if (tool) return true
  const [one] = await tx.select({ id: instances.id }).from(instances).where(isMadeOfIt(instances.recipe)).limit(1)
  return one !== undefined
}
