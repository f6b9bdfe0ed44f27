import { parsed, type Schema, sent } from '@agentopia/api/json-schema'
import type { Operation, ProblemKind } from '@agentopia/dtma/contract'
import type { $ZodType } from 'zod/v4/core'
import { components, type NamedSchemas } from './json-schema.ts'

/** What an OpenAPI document says of one API. */
export interface ApiDescription {
  readonly title: string
  readonly description: string
  readonly version: string
  /** Where it answers unless it is configured otherwise. */
  readonly server: string
  readonly operations: readonly Operation[]
  readonly problems: Readonly<Record<string, ProblemKind>>
  /** Codes that an operation may answer with besides its own. */
  readonly commonProblems: (op: Operation) => readonly string[]
  /** Ways to say who is calling, by name. */
  readonly securitySchemes: Readonly<Record<string, object>>
  /** For each `auth` of the operations: the names of the schemes of which one is needed, and what it takes in words. */
  readonly security: Readonly<Record<string, { readonly anyOf: readonly string[]; readonly words: string }>>
  readonly tagOf: (op: Operation) => string
  /** Schemas that are referred to by name. */
  readonly schemas: NamedSchemas
}

/** The OpenAPI 3.1 document of an API. @throws {Error} When an operation names a problem or an `auth` that is not described. */
export function openApi(api: ApiDescription): object {
  const named = new Map(api.operations.flatMap(replySchemaOf))
  const problem = api.schemas.get('ProblemDocument')
  if (!problem) throw new Error('the schemas lack ProblemDocument')
  const { refOf, schemas } = components(api.schemas, new Map([...named, ['ProblemDocument', problem]]))
  const paths: Record<string, Record<string, object>> = {}
  for (const op of api.operations) {
    const path = op.path.replaceAll(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [op.method.toLowerCase()]: operation(op, api, refOf) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: api.title,
      version: api.version,
      description: api.description,
      license: { name: 'Apache License 2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: api.server }],
    tags: [...new Set(api.operations.map(api.tagOf))].map((name) => ({ name })),
    paths,
    components: { schemas, securitySchemes: api.securitySchemes },
  }
}

/** Operations of the user-facing API may be for a person who showed to be there. */
function presence(op: Operation): string {
  if (!('presence' in op)) return ''
  const how = 'showed within five minutes to be there: by signing in, or by an operation under `/api/me/presence`.'
  if (op.presence === true) return ` Only in a browser whose person ${how}`
  const which = 'presenceFor' in op ? ', unless it only takes away,' : ''
  return ` In a browser${which} only when its person ${how} Of a token nothing more is asked.`
}

type RefOf = ReturnType<typeof components>['refOf']

/** What an operation answers with, under a name of its own for the case that it has none. */
function replySchemaOf(op: Operation): (readonly [string, $ZodType])[] {
  const name = op.id[0]!.toUpperCase() + op.id.slice(1)
  if (op.event) return [[`${name}Event`, op.event]]
  return op.reply ? [[`${name}Reply`, op.reply]] : []
}

function operation(op: Operation, api: ApiDescription, refOf: RefOf): object {
  const security = api.security[op.auth]
  if (!security) throw new Error(`${op.id}: nothing is said of the auth ${op.auth}`)
  const parameters = [...parametersIn('path', op.params), ...parametersIn('query', op.query), ...headersOf(op)]
  return {
    operationId: op.id,
    summary: op.summary,
    description: security.words + presence(op),
    tags: [api.tagOf(op)],
    security: security.anyOf.map((scheme) => ({ [scheme]: [] })),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...bodyOf(op),
    responses: { [op.status]: success(op, refOf), ...failures(op, api) },
  }
}

function bodyOf(op: Operation): object {
  const content = op.body
    ? { 'application/json': { schema: sent(op.body) } }
    : isUpload(op)
      ? { 'application/octet-stream': { schema: { type: 'string', format: 'binary', maxLength: op.upload.mostBytes } } }
      : undefined
  return content ? { requestBody: { required: true, content } } : {}
}

/** Operations of the user-facing API may take bytes. */
const isUpload = (op: Operation): op is Operation & { readonly upload: { readonly mostBytes: number } } =>
  'upload' in op

function parametersIn(place: 'path' | 'query', schema: Operation['params']): object[] {
  if (!schema) return []
  const required = sent(schema).required ?? []
  return Object.entries(parsed(schema).properties ?? {}).map(([name, property]) => {
    const { description, ...rest } = property as Schema
    return {
      name,
      in: place,
      required: place === 'path' || required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema: rest,
    }
  })
}

function headersOf(op: Operation): object[] {
  const header = (name: string, maxLength: number, description: string) => ({
    name,
    in: 'header',
    required: false,
    description,
    schema: { type: 'string', maxLength },
  })
  const repeatable = op.problems.includes('idempotency-key-reused')
  const resumable = op.event !== undefined && op.query !== undefined && 'since' in op.query._zod.def.shape
  return [
    ...(repeatable
      ? [header('Idempotency-Key', 255, 'The same request with the same key within 24 hours is carried out once.')]
      : []),
    ...(resumable ? [header('Last-Event-ID', 64, 'Resumes an interrupted stream after this event.')] : []),
  ]
}

function success(op: Operation, refOf: RefOf): object {
  if (op.event)
    return {
      description: 'A stream of server-sent events; the data of each is JSON. Lines that begin with `:` keep it open.',
      content: { 'text/event-stream': { schema: { type: 'string' }, 'x-event-data': refOf(op.event) } },
    }
  if (isFile(op))
    return {
      description: 'A file, sent as it is read.',
      content: Object.fromEntries(op.file.map((type) => [type, { schema: { type: 'string' } }])),
    }
  if (!op.reply) return { description: 'Done; there is no body.' }
  return {
    description: op.status === 202 ? 'Recorded as desired state; a reconciler carries it out.' : 'Success.',
    content: { 'application/json': { schema: refOf(op.reply) } },
  }
}

/** Operations of the user-facing API may answer with a file. */
const isFile = (op: Operation): op is Operation & { readonly file: readonly string[] } => 'file' in op

function failures(op: Operation, api: ApiDescription): Record<string, object> {
  const codes = [...new Set([...op.problems, ...api.commonProblems(op)])]
  const byStatus = new Map<number, string[]>()
  for (const code of codes) {
    const kind = api.problems[code]
    if (!kind) throw new Error(`${op.id}: there is no problem ${code}`)
    byStatus.set(kind.status, [...(byStatus.get(kind.status) ?? []), `\`${code}\`: ${kind.title}.`])
  }
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/ProblemDocument' } } }
  return Object.fromEntries(
    [...byStatus].map(([status, titles]) => [status, { description: titles.join(' '), content }]),
  )
}
