import { getCatalogTool, listCatalog } from '@agentopia/api'
import type { Mount } from '../http/mount.ts'
import type { Catalog } from './catalog.ts'
import { toolOf } from './recipe.ts'

export function catalogRoutes(mount: Mount, { catalog }: { readonly catalog: Catalog }): void {
  mount.reply(listCatalog, async ({ query }) => {
    const found = catalog.search(query.search ?? '')
    const from = query.cursor ? found.findIndex((tool) => tool.id === query.cursor) + 1 : 0
    const items = found.slice(from, from + query.limit)
    const last = items.at(-1)
    return { items, ...(last && from + items.length < found.length ? { nextCursor: last.id } : {}) }
  })

  mount.reply(getCatalogTool, async ({ params }) => toolOf(catalog.get(params.toolId)))
}
