import { type NewTool, problem } from '@agentopia/api'
import { ToolSecret } from '@agentopia/dtma/contract'
import * as z from 'zod'
import { $ZodError } from 'zod/v4/core'
import { type ConfigValues, type Recipe, renderSpec } from './recipe.ts'

/**
 * The recipe of a tool that somebody describes: it could be deployed, with some configuration at least.
 * @throws {ProblemError} `invalid-tool`
 */
export function recipeFrom({ docsUrl, oauth, ...tool }: z.output<typeof NewTool>): Recipe {
  const recipe: Recipe = { ...tool, ...(docsUrl === undefined ? {} : { docsUrl }), ...(oauth ? { oauth } : {}) }
  const { spec, config, secrets = [] } = recipe
  if (spec.secrets !== undefined) throw problem('invalid-tool', 'spec.secrets: declare what it takes by `secrets`')
  const twice = repeated([...config, ...secrets].map(({ key }) => key))
  if (twice !== undefined) throw problem('invalid-tool', `${twice} is the key of two fields`)
  for (const { key, required, target } of secrets) {
    const parsed = ToolSecret.safeParse({ name: key, required, ...target })
    if (!parsed.success) throw problem('invalid-tool', `secrets.${key}: ${z.prettifyError(parsed.error)}`)
  }
  if (oauth && !secrets.some(({ key }) => key === oauth.field))
    throw problem('invalid-tool', `oauth.field: ${oauth.field} is the key of no secret`)
  try {
    renderSpec(recipe, someValues(recipe))
  } catch (error) {
    if (!(error instanceof $ZodError)) throw error
    throw problem('invalid-tool', z.prettifyError(error).replaceAll('\n', ' '), { cause: error })
  }
  return recipe
}

const repeated = (keys: readonly string[]): string | undefined => keys.find((key, at) => keys.indexOf(key) !== at)

/** Values of the right kinds, for every field. */
const someValues = ({ config }: Recipe): ConfigValues =>
  Object.fromEntries(config.map(({ key, type }) => [key, { string: 'some', integer: 1, boolean: true }[type]]))
