import { ToolSpec } from '@agentopia/dtma/contract'
import * as z from 'zod'
import { SecretField, ToolOAuth } from './credentials.ts'
import { Page, pageOf, ToolId } from './fields.ts'
import { defineUserOperation } from './operation.ts'

/** One setting of a tool, filled in at deployment and handed to the server as an argument or a variable. No secrets. */
export const ConfigField = z.object({
  key: z.string().regex(/^[a-z][a-zA-Z0-9]{0,39}$/),
  title: z.string(),
  description: z.string().optional(),
  type: z.enum(['string', 'integer', 'boolean']),
  required: z.boolean(),
  default: z.union([z.string(), z.int(), z.boolean()]).optional(),
  /** Where the value goes: an environment variable, or one more argument at the end. */
  target: z.union([z.object({ env: z.string() }), z.object({ argument: z.literal(true) })]),
})
export type ConfigField = z.infer<typeof ConfigField>

/** A catalogue entry: a recipe for an MCP server. */
export const Tool = z.object({
  id: ToolId,
  title: z.string(),
  /** One sentence. */
  summary: z.string(),
  publisher: z.string(),
  docsUrl: z.url().optional(),
  /** Name of a lucide icon. */
  icon: z.string(),
  categories: z.array(z.string()),
  package: z.object({ type: z.enum(['npm', 'pypi', 'oci']), name: z.string(), version: z.string() }),
  transport: z.enum(['stdio', 'http']),
  /** What it may connect to: nothing, these hosts and ports, or every public host. */
  egress: z.union([z.enum(['none', 'any']), z.array(z.object({ host: z.string(), port: z.int() }))]),
  keepsState: z.boolean(),
  /** What it gets beyond the strict profile, by name. */
  profiles: z.array(z.string()),
  /** Added by the account; absent: curated. */
  own: z.boolean().optional(),
  config: z.array(ConfigField),
  /** Not empty: each agent has a container of its own, with its own secrets. */
  secrets: z.array(SecretField),
  oauth: ToolOAuth.optional(),
})
export type Tool = z.infer<typeof Tool>

export const listCatalog = defineUserOperation({
  id: 'listCatalog',
  summary: 'List the catalogue',
  method: 'GET',
  path: '/api/catalog',
  auth: 'viewer',
  status: 200,
  query: Page.extend({ search: z.string().max(100).optional() }),
  reply: pageOf(Tool),
  problems: [],
})

export const getCatalogTool = defineUserOperation({
  id: 'getCatalogTool',
  summary: 'Read one catalogue entry',
  method: 'GET',
  path: '/api/catalog/:toolId',
  auth: 'viewer',
  status: 200,
  params: z.object({ toolId: ToolId }),
  reply: Tool,
  problems: ['tool-not-found'],
})

/** A tool of one's own: everything that the curated ones are made of. */
export const NewTool = z.strictObject({
  id: ToolId,
  title: z.string().min(1).max(80),
  summary: z.string().max(300).default(''),
  publisher: z.string().max(80).default('Own'),
  docsUrl: z
    .url({ protocol: /^https?$/ })
    .max(2_000)
    .optional(),
  icon: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/)
    .default('package'),
  categories: z.array(z.string().min(1).max(40)).max(8).default([]),
  /** What a toolbox is asked to run. Its secrets are declared by `secrets`, not here. */
  spec: ToolSpec,
  config: z.array(ConfigField).max(40).default([]),
  secrets: z.array(SecretField).max(16).default([]),
  /** Which of its secrets is an access token, and of whom. */
  oauth: ToolOAuth.optional(),
})

export const addCatalogTool = defineUserOperation({
  id: 'addCatalogTool',
  summary: 'Add a tool of one’s own to the catalogue: an npm or PyPI package, or an image',
  method: 'POST',
  path: '/api/catalog',
  auth: 'admin',
  status: 201,
  body: NewTool,
  reply: Tool,
  problems: ['name-taken', 'invalid-tool', 'image-not-found'],
})

export const removeCatalogTool = defineUserOperation({
  id: 'removeCatalogTool',
  summary: 'Remove a tool of one’s own from the catalogue',
  method: 'DELETE',
  path: '/api/catalog/:toolId',
  auth: 'admin',
  status: 204,
  params: z.object({ toolId: ToolId }),
  problems: ['tool-not-found', 'tool-in-use', 'tool-curated'],
})
