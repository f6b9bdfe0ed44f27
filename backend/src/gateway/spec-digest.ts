import { createHash } from 'node:crypto'
import type { Catalog } from '../catalog/catalog.ts'
import { findRecipe } from '../catalog/recipe-of.ts'
import type { instances } from '../store/schema/index.ts'

/** What one agent's calls of an instance run in. */
export interface Deployed extends Pick<typeof instances.$inferSelect, 'toolId' | 'recipe' | 'config'> {
  /** Of the container that all agents share, and of the agent's own, as the toolbox reported them last; `null`: of none. */
  readonly sharedImage: string | null
  readonly ownImage: string | null
}

/**
 * What runs, in one word: SHA-256, hex, of what the toolbox is asked to run (the package and its version, and where configuration
 * and secrets go), the configuration, and the image. A curated tool that the catalogue does not have any more goes by its name.
 */
export function specDigestOf(
  catalog: Catalog,
  { config: values, sharedImage, ownImage, ...deployed }: Deployed,
): string {
  const recipe = findRecipe(catalog, deployed)
  const { spec = deployed.toolId, config = [], secrets = [] } = recipe ?? {}
  const places = config.map(({ key, target }) => [key, target])
  const takes = secrets.map(({ key, required, target }) => [key, required, target])
  const image = secrets.length > 0 ? ownImage : sharedImage
  return createHash('sha256')
    .update(JSON.stringify([spec, places, takes, values, image]))
    .digest('hex')
}
