import { addCatalogTool, getCatalogTool, listCatalog, problem, removeCatalogTool } from '@agentopia/api'
import { recordActivity } from '../events/activity.store.ts'
import type { Mount } from '../http/mount.ts'
import type { Store } from '../store/connect.ts'
import { type Catalog, ownToolOf } from './catalog.ts'
import { recipeFrom } from './new-tool.ts'
import { deleteOwnRecipe, findOwnRecipe, insertOwnRecipe, listOwnRecipes } from './own-tool.store.ts'
import { toolOf } from './recipe.ts'

interface CatalogRouteDeps {
  readonly store: Store
  readonly catalog: Catalog
}

export function catalogRoutes(mount: Mount, { store, catalog }: CatalogRouteDeps): void {
  mount.reply(listCatalog, async ({ query }, { caller }) => {
    const found = catalog.search(query.search ?? '', await store.tenant(caller.accountId, listOwnRecipes))
    const from = query.cursor ? found.findIndex((tool) => tool.id === query.cursor) + 1 : 0
    const items = found.slice(from, from + query.limit)
    const last = items.at(-1)
    return { items, ...(last && from + items.length < found.length ? { nextCursor: last.id } : {}) }
  })

  mount.reply(getCatalogTool, async ({ params: { toolId } }, { caller }) => {
    const own = await store.tenant(caller.accountId, (tx) => findOwnRecipe(tx, toolId))
    return own ? ownToolOf(own) : toolOf(catalog.get(toolId))
  })

  mount.reply(addCatalogTool, ({ body }, { caller: { accountId, actor } }) => {
    const recipe = recipeFrom(body)
    if (catalog.find(recipe.id)) throw problem('name-taken', `A curated tool is called ${recipe.id}`)
    return store.tenant(accountId, async (tx) => {
      await insertOwnRecipe(tx, accountId, recipe)
      const tool = ownToolOf(recipe)
      const { type, name, version } = tool.package
      const beyond = tool.profiles.length === 0 ? '' : `, with ${tool.profiles.join(' and ')}`
      const message = `Added ${recipe.title} to the catalogue: ${type} ${name} ${version}${beyond}`
      await recordActivity(tx, { accountId, actor, action: 'tool.added', subject: recipe.id, message })
      return tool
    })
  })

  mount.reply(removeCatalogTool, ({ params: { toolId } }, { caller: { accountId, actor } }) =>
    store.tenant(accountId, async (tx) => {
      if (catalog.find(toolId)) throw problem('tool-curated', `${toolId} is a curated tool`)
      const { title } = await deleteOwnRecipe(tx, toolId)
      const message = `Removed ${title} from the catalogue`
      await recordActivity(tx, { accountId, actor, action: 'tool.removed', subject: toolId, message })
      return undefined
    }),
  )
}
