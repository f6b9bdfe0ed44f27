import type { Catalog } from '../catalog/catalog.ts'
import { findOwnRecipe } from '../catalog/own-tool.store.ts'
import { type ConfigValues, parseConfigValues } from '../catalog/recipe.ts'
import type { Tx } from '../store/connect.ts'
import { type InstanceRow, insertInstance, type NewInstance } from './instance.store.ts'

type Asked = Omit<NewInstance, 'config' | 'recipe'> & { readonly config: ConfigValues }

/**
 * Records a tool of the catalogue, the account's own or a curated one, as wanted on a toolbox.
 * @returns `title`: what the catalogue calls it.
 * @throws {ProblemError} `tool-not-found`, `invalid-config`, `name-taken`
 */
export async function deployInstance(
  tx: Tx,
  catalog: Catalog,
  { toolId, config, ...asked }: Asked,
): Promise<{ row: InstanceRow; title: string }> {
  const own = await findOwnRecipe(tx, toolId)
  const recipe = own ?? catalog.get(toolId)
  const row = await insertInstance(tx, {
    ...asked,
    toolId: recipe.id,
    config: parseConfigValues(recipe.config, config),
    recipe: own ?? null,
  })
  return { row, title: recipe.title }
}
