import {
  createToolbox,
  defineUserOperation,
  deployTool,
  listInstances,
  OPERATIONS,
  removeInstance,
  removeToolbox,
  startDropletAction,
  stopInstance,
  type UserOperation,
} from '@agentopia/api'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { type OperatorTool, toolsOf } from './operator-tool.ts'

const operations = OPERATIONS as readonly UserOperation[]
const tools = toolsOf(operations)
const toolOf = ({ id }: UserOperation): OperatorTool => tools.get(id)!
const ofRole = (role: string) => [...tools.values()].filter(({ op }) => op.auth === role)

test('what a viewer may call only reads', () => {
  expect(ofRole('viewer').length).toBeGreaterThan(30)
  expect(ofRole('viewer').filter(({ listed }) => !listed.annotations.readOnlyHint)).toEqual([])
})

test('no tool takes a secret or answers with one, whatever the rule says', () => {
  for (const { listed, op } of tools.values()) {
    expect([op.id, JSON.stringify(listed.inputSchema)]).toEqual([op.id, expect.not.stringContaining('x-secret')])
    const shown = op.reply ? JSON.stringify(z.toJSONSchema(op.reply, { io: 'output' })) : ''
    expect([op.id, shown]).toEqual([op.id, expect.not.stringContaining('x-secret')])
  }
})

test('every tool has a schema that stands for itself: an object, closed, without references', () => {
  for (const { listed } of tools.values()) {
    expect(listed.inputSchema).toMatchObject({ type: 'object', additionalProperties: false })
    expect([listed.name, JSON.stringify(listed.inputSchema)]).toEqual([
      listed.name,
      expect.not.stringMatching(/"\$(?:ref|schema|defs)"/),
    ])
    expect(listed.name).toMatch(/^[a-zA-Z]{1,64}$/)
    expect(listed.description.length).toBeGreaterThan(20)
  }
})

test('path, query and body stand side by side, as the model gives them', () => {
  const { listed, partsOf } = toolOf(deployTool)
  expect(listed).toMatchObject({
    name: 'deployTool',
    title: 'Deploy tool',
    inputSchema: {
      properties: { toolboxId: { type: 'string' }, toolId: {}, name: {}, config: {} },
      required: ['toolboxId', 'toolId', 'name'],
    },
  })
  expect(partsOf({ toolboxId: 'toolbox_1', toolId: 'everything', name: 'demo' })).toEqual({
    params: { toolboxId: 'toolbox_1' },
    query: {},
    body: { toolId: 'everything', name: 'demo' },
  })
})

test('a number or a yes in an address is written as it would be there', () => {
  expect(toolOf(listInstances).listed.inputSchema).toMatchObject({ properties: { limit: { type: 'integer' } } })
  expect(toolOf(listInstances).partsOf({ toolboxId: 't', limit: 3 }).query).toEqual({ limit: '3' })
  expect(toolOf(removeInstance).listed.inputSchema).toMatchObject({ properties: { force: { type: 'boolean' } } })
  expect(toolOf(removeInstance).partsOf({ force: true }).query).toEqual({ force: 'true' })
})

test('a body of several forms keeps its place', () => {
  const { listed, partsOf } = toolOf(createToolbox)
  expect(listed.inputSchema).toMatchObject({ properties: { body: { oneOf: expect.any(Array) } }, required: ['body'] })
  expect(partsOf({ body: { provider: 'join', name: 'x' } }).body).toEqual({ provider: 'join', name: 'x' })
})

test.each([
  ['an argument that is none', { toolboxID: 'x' }, 'toolboxID: is not an argument of listInstances'],
  ['one that every object has', { constructor: 'x' }, 'constructor: is not an argument of listInstances'],
  ['a list in an address', { limit: [3] }, 'limit: must be a text, a number, true or false'],
  ['nothing in an address', { toolboxId: null }, 'toolboxId: must be a text, a number, true or false'],
])('%s is refused by its name', (_, args, words) => {
  expect(() => toolOf(listInstances).partsOf(args)).toThrow(words)
})

test.each([
  [listInstances, { readOnlyHint: true, destructiveHint: false, idempotentHint: true }],
  [deployTool, { readOnlyHint: false, destructiveHint: false, idempotentHint: false }],
  [stopInstance, { readOnlyHint: false, destructiveHint: false, idempotentHint: false }],
  [removeToolbox, { readOnlyHint: false, destructiveHint: true, idempotentHint: true }],
  [startDropletAction, { readOnlyHint: false, destructiveHint: true, idempotentHint: false }],
])('$id hints at what it does', (op, annotations) => {
  expect(toolOf(op).listed.annotations).toEqual(annotations)
})

test('two fields of one name are noticed when the tools are made', () => {
  const twice = defineUserOperation({
    id: 'renameThing',
    summary: 'Rename a thing',
    method: 'PATCH',
    path: '/api/things/:name',
    auth: 'operator',
    status: 200,
    params: z.object({ name: z.string() }),
    body: z.strictObject({ name: z.string() }),
    problems: [],
  })
  expect(() => toolsOf([twice])).toThrow('renameThing has two fields that are called name')
})
