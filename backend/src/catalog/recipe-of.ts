import { problem } from '@agentopia/api'
import type { instances } from '../store/schema/index.ts'
import type { Catalog } from './catalog.ts'
import type { Recipe } from './recipe.ts'

type Deployed = Pick<typeof instances.$inferSelect, 'toolId' | 'recipe'>

/** What an instance was deployed from. `undefined`: a curated tool that this catalogue does not have any more. */
export const findRecipe = (catalog: Catalog, { recipe, toolId }: Deployed): Recipe | undefined =>
  recipe ?? catalog.find(toolId)

/** @throws {ProblemError} `tool-not-found` */
export function recipeOf(catalog: Catalog, instance: Deployed): Recipe {
  const recipe = findRecipe(catalog, instance)
  if (!recipe) throw problem('tool-not-found', `The catalogue has no tool ${instance.toolId}`)
  return recipe
}
