import { OPERATIONS, PROBLEMS } from '@agentopia/api'
import { DTMA_OPERATIONS, DTMA_PROBLEMS, type Operation, UPLINK_OPERATIONS } from '@agentopia/dtma/contract'
import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { controlPlaneApi, toolboxApi } from './apis.ts'
import { documents } from './documents.ts'
import { openApi } from './open-api.ts'
import { settingTable } from './tables.ts'

const printed = documents({ controlPlane: '1.2.3', dtma: '4.5.6' }, '/somewhere/')

/** What tests look at of an OpenAPI document. */
interface Document {
  info: { version: string }
  paths: Record<string, Record<string, PrintedOperation>>
  components: { schemas: Record<string, { additionalProperties?: boolean; required?: string[] }> }
}
interface PrintedOperation {
  operationId: string
  security: Record<string, never>[]
  parameters?: { name: string; in: string; required: boolean; schema: object }[]
  requestBody?: { content: object }
  responses: Record<string, { description: string; content?: Record<string, object> }>
}

const read = (path: string) => JSON.parse(printed.get(path)!) as Document

describe.each([
  ['docs/openapi.json', [...OPERATIONS, ...UPLINK_OPERATIONS]],
  ['docs/dtma-openapi.json', DTMA_OPERATIONS],
] as const)('%s', (path, operations: readonly Operation[]) => {
  const document = read(path)
  const described = Object.values(document.paths).flatMap((methods) => Object.values(methods))

  it('is a valid OpenAPI 3.1 document', async () => {
    const validator = new Validator()
    const { valid, errors } = await validator.validate(JSON.parse(printed.get(path)!))
    expect(errors ?? []).toEqual([])
    expect(valid).toBe(true)
    expect(validator.version).toBe('3.1')
  })

  it('refers to nothing that is not in it', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)]
    expect(references.length).toBeGreaterThan(0)
    for (const [, name] of references) expect(document.components.schemas).toHaveProperty(name!)
  })

  it('describes every operation once', () => {
    expect(described.map(({ operationId }) => operationId).sort()).toEqual(operations.map(({ id }) => id).sort())
  })

  it('gives every parameter of a path', () => {
    for (const [template, methods] of Object.entries(document.paths))
      for (const { parameters = [] } of Object.values(methods))
        expect(parameters.filter((one) => one.in === 'path').map(({ name }) => `{${name}}`)).toEqual(
          template.match(/\{\w+\}/g) ?? [],
        )
  })

  it('answers every failure with a problem document', () => {
    const failures = described.flatMap(({ responses }) =>
      Object.entries(responses).filter(([status]) => Number(status) >= 400),
    )
    for (const [, { content = {} }] of failures) expect(Object.keys(content)).toEqual(['application/problem+json'])
  })
})

describe('the document of the control plane', () => {
  const { paths, info, components } = read('docs/openapi.json')

  it('carries the version of the control plane', () => expect(info.version).toBe('1.2.3'))

  it('shows what is sent: query, body, key of repeatable requests', () => {
    const logs = paths['/api/toolboxes/{toolboxId}/tools/{instanceId}/logs']!['get']!
    expect(logs.parameters!.map((one) => `${one.in} ${one.name}`)).toEqual([
      'path toolboxId',
      'path instanceId',
      'query follow',
      'query tail',
      'query since',
      'header Last-Event-ID',
    ])
    expect(logs.parameters!.find(({ name }) => name === 'follow')!).toMatchObject({
      required: false,
      schema: { type: 'boolean', default: false },
    })
    const deploy = paths['/api/toolboxes/{toolboxId}/tools']!['post']!
    expect(deploy.parameters!.map(({ name }) => name)).toEqual(['toolboxId', 'Idempotency-Key'])
    expect(deploy.requestBody!.content).toMatchObject({
      'application/json': { schema: { required: ['toolId', 'name'], additionalProperties: false } },
    })
  })

  it('shows streams as streams', () => {
    expect(paths['/api/events']!['get']!.responses['200']!.content).toEqual({
      'text/event-stream': { schema: { type: 'string' }, 'x-event-data': { $ref: '#/components/schemas/ChangeHint' } },
    })
  })

  it('says who may call', () => {
    expect(paths['/api/info']!['get']!.security).toEqual([])
    expect(paths['/api/agents/{agentId}/tools/{toolbeltItemId}/execute']!['post']!.security).toContainEqual({
      agentToken: [],
    })
  })

  it('names each problem under its status', () => {
    const { responses } = paths['/api/agents/{agentId}/toolbelt']!['post']!
    expect(responses['409']!.description).toContain('`toolbox-access-missing`')
    expect(responses['409']!.description).toContain('`name-taken`')
    expect(responses['404']!.description).toContain('`agent-not-found`')
  })

  it('leaves room for later members in what comes back', () => {
    expect(components.schemas['Toolbox']!.additionalProperties).toBeUndefined()
  })
})

describe('a description that does not fit its operations', () => {
  const api = toolboxApi('1')
  const [first] = api.operations

  it('is refused: unknown problems, unknown ways to authenticate', () => {
    expect(() => openApi({ ...api, operations: [{ ...first!, problems: ['no-such-problem'] }] })).toThrow(
      'getHealth: there is no problem no-such-problem',
    )
    expect(() => openApi({ ...controlPlaneApi('1'), operations: [{ ...first!, auth: 'magic' }] })).toThrow(
      'getHealth: nothing is said of the auth magic',
    )
  })
})

describe('the tables', () => {
  it('list every problem of both catalogues', () => {
    const text = printed.get('docs/problems.md')!
    for (const code of [...Object.keys(PROBLEMS), ...Object.keys(DTMA_PROBLEMS)]) expect(text).toContain(`\`${code}\``)
  })

  it('show a setting with its meaning, values and default', () => {
    const environment = z.object({
      PORT: z.coerce.number().int().min(0).max(9).default(3).describe('A port.'),
      LEVEL: z.enum(['low', 'high']).default('low').describe('A | <level>.'),
      PAGE: z.string().default('/repository/dist/page').describe('A place.'),
      URL: z.url().optional().describe('Where.'),
    })
    expect(settingTable(environment, '/repository/').split('\n').slice(2)).toEqual([
      '| `PORT` | A port. | 0 to 9 | `3` |',
      '| `LEVEL` | A \\| &lt;level>. | `low`, `high` | `low` |',
      '| `PAGE` | A place. | text | `dist/page` |',
      '| `URL` | Where. | an address |  |',
    ])
  })
})
