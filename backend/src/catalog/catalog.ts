import { problem, type Tool } from '@agentopia/api'
import { CURATED } from './curated.ts'
import { type Recipe, toolOf } from './recipe.ts'

/** The curated recipes. Those that an account added are in the store. */
export interface Catalog {
  find(toolId: string): Recipe | undefined
  /** @throws {ProblemError} `tool-not-found`. */
  get(toolId: string): Recipe
  /** Entries whose title, summary, publisher or category holds every word of `text`; all when it is empty. @param own Come first. */
  search(text: string, own?: readonly Recipe[]): readonly Tool[]
}

export function createCatalog(recipes: readonly Recipe[] = CURATED): Catalog {
  const byId = new Map(recipes.map((recipe) => [recipe.id, recipe]))
  const entries = recipes.map((recipe) => ({ tool: toolOf(recipe), words: wordsOf(recipe) }))
  const find = (toolId: string) => byId.get(toolId)
  return {
    find,
    get(toolId) {
      const recipe = find(toolId)
      if (!recipe) throw problem('tool-not-found', `The catalogue has no tool ${toolId}`)
      return recipe
    },
    search(text, own = []) {
      const wanted = text.toLowerCase().split(/\s+/).filter(Boolean)
      const all = [...own.map((recipe) => ({ tool: ownToolOf(recipe), words: wordsOf(recipe) })), ...entries]
      return all.filter(({ words }) => wanted.every((word) => words.includes(word))).map(({ tool }) => tool)
    },
  }
}

/** What the catalogue shows of a recipe of the account's own. */
export const ownToolOf = (recipe: Recipe): Tool => ({ ...toolOf(recipe), own: true })

const wordsOf = ({ id, title, summary, publisher, categories }: Recipe): string =>
  [id, title, summary, publisher, ...categories].join('\n').toLowerCase()
