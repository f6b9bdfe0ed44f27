import { problem, type Tool } from '@agentopia/api'
import { CURATED } from './curated.ts'
import { type Recipe, toolOf } from './recipe.ts'

/** The recipes that an account can deploy. */
export interface Catalog {
  find(toolId: string): Recipe | undefined
  /** @throws {ProblemError} `tool-not-found`. */
  get(toolId: string): Recipe
  /** Entries whose title, summary, publisher or category holds every word of `text`; all when it is empty. */
  search(text: string): readonly Tool[]
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
    search(text) {
      const wanted = text.toLowerCase().split(/\s+/).filter(Boolean)
      return entries.filter(({ words }) => wanted.every((word) => words.includes(word))).map(({ tool }) => tool)
    },
  }
}

const wordsOf = ({ id, title, summary, publisher, categories }: Recipe): string =>
  [id, title, summary, publisher, ...categories].join('\n').toLowerCase()
