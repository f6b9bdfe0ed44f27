import type { ConfigField, SecretField, Tool, ToolOAuth } from '@agentopia/api'
import { problem } from '@agentopia/api'
import { linesOf, ToolSpec, wordsOfIssue } from '@agentopia/dtma/contract'
import * as z from 'zod'
import type { CatalogueFlow } from '../data-flow/flow-labels.ts'

export type ConfigValues = Readonly<Record<string, string | number | boolean>>

/** A catalogue entry with what it takes to run it. */
export interface Recipe {
  readonly id: string
  readonly title: string
  readonly summary: string
  readonly publisher: string
  readonly docsUrl?: string
  readonly icon: string
  readonly categories: readonly string[]
  /** Everything of the spec but what the configuration decides. */
  readonly spec: z.input<typeof ToolSpec>
  readonly config: readonly ConfigField[]
  /** Secrets of the agents. With any, each agent has a container of its own. */
  readonly secrets?: readonly SecretField[]
  /** What of its data is private, a stranger's, or leaves. Absent: what follows from secrets, state and network. */
  readonly flow?: CatalogueFlow
  /** Where one of the secrets comes from, when it is an access token. */
  readonly oauth?: ToolOAuth
}

/** What the catalogue shows of a recipe. */
export function toolOf({ spec, config, secrets = [], categories, flow: _, ...rest }: Recipe): Tool {
  const { package: pack } = spec
  return {
    ...rest,
    categories: [...categories],
    package: packageOf(pack),
    transport: spec.transport.type,
    egress: ToolSpec.shape.egress.parse(spec.egress),
    keepsState: spec.state !== undefined,
    profiles: [...(spec.profiles ?? [])],
    config: [...config],
    secrets: [...secrets],
  }
}

/** What people call a package and its version. */
function packageOf(pack: Recipe['spec']['package']): Tool['package'] {
  if (pack.type !== 'oci') return { type: pack.type, name: pack.name, version: pack.version }
  const [, name = pack.image, version = ''] = /^(.*?)(?:@|:(?=[^/]*$))(.*)$/.exec(pack.image) ?? []
  return { type: 'oci', name, version }
}

/**
 * Checks configuration values against the fields of a recipe and fills in the defaults.
 * @throws {ProblemError} `invalid-config`, naming every wrong field.
 */
export function parseConfigValues(fields: readonly ConfigField[], values: ConfigValues): ConfigValues {
  const result = schemaOf(fields).safeParse(values, { error: wordsOfIssue })
  if (!result.success) throw problem('invalid-config', linesOf('config', result.error.issues).join('\n'))
  return Object.fromEntries(Object.entries(result.data).filter(([, value]) => value !== undefined)) as ConfigValues
}

function schemaOf(fields: readonly ConfigField[]) {
  return z.strictObject(Object.fromEntries(fields.map((field) => [field.key, schemaOfField(field)])))
}

function schemaOfField(field: ConfigField): z.ZodType {
  const base = { string: z.string().min(1).max(4_096), integer: z.int(), boolean: z.boolean() }[field.type]
  if (field.default !== undefined) return (base as z.ZodString).default(field.default as string)
  return field.required ? base : base.optional()
}

/** The spec that a toolbox is asked to run: the recipe with the configuration put in its places. */
export function renderSpec({ spec, config, secrets = [] }: Recipe, values: ConfigValues): ToolSpec {
  const env: Record<string, string> = { ...spec.env }
  const args = [...(spec.args ?? [])]
  for (const { key, target } of config) {
    const value = values[key]
    if (value === undefined) continue
    if ('env' in target) env[target.env] = String(value)
    else args.push(String(value))
  }
  const takes = secrets.map(({ key, required, target }) => ({ name: key, required, ...target }))
  return ToolSpec.parse({ ...spec, args, env, ...(takes.length > 0 ? { secrets: takes } : {}) })
}
