import fc from 'fast-check'
import { expect, test } from 'vitest'
import { authorise, type BeltItem, type Toolbelt } from './authorise.ts'
import { openToolbelt } from './toolbelts.ts'

const capability = (name: string) => ({ name, inputSchema: { type: 'object' }, digest: name })

const item = (change: Partial<BeltItem> = {}, instance: Partial<BeltItem['instance']> = {}): BeltItem => ({
  id: 'belt_1',
  enabled: true,
  toolboxAccess: true,
  allowed: new Map([['echo', 'echo']]),
  asked: new Set(),
  prompts: false,
  resources: false,
  plainNames: false,
  ...change,
  instance: {
    id: 'inst_1',
    name: 'demo',
    generation: 1,
    specDigest: 'spec',
    desired: 'running',
    capabilities: [capability('echo'), capability('add')],
    toolbox: {
      id: 'toolbox_1',
      accountId: 'account_1',
      backendToDtmaApiKey: null,
      direct: null,
      publicIpAddress: null,
      publicKey: null,
    },
    ...instance,
  },
})

const belt = (items: readonly BeltItem[], enabled = true): Toolbelt => ({
  agent: {
    id: 'agent_1',
    accountId: 'account_1',
    name: 'helper',
    enabled,
    accountEnabled: true,
    limits: {},
    secrets: 'redact',
  },
  items,
})

test.each([
  ['what is granted and offered', true, item(), 'echo', true],
  ['what is not granted', true, item(), 'add', 'not-granted'],
  ['what is neither granted nor offered', true, item(), 'surprise', 'not-granted'],
  ['what is granted and no longer offered', true, item({ allowed: new Map([['gone', null]]) }), 'gone', 'not-offered'],
  [
    'what is granted to an agent that lacks the secret for it',
    true,
    item({}, { capabilities: [], lacksSecret: true }),
    'echo',
    'missing-credential',
  ],
  [
    'what is not granted, of a tool whose secret is lacking',
    true,
    item({}, { capabilities: [], lacksSecret: true }),
    'add',
    'not-granted',
  ],
  [
    'M07 what was granted as something else',
    true,
    item({ allowed: new Map([['echo', 'old']]) }),
    'echo',
    'capability-changed',
  ],
  ['everything of a switched-off agent', false, item(), 'echo', 'agent-disabled'],
  ['everything of a switched-off item', true, item({ enabled: false }), 'echo', 'item-disabled'],
  ['everything on a toolbox without access', true, item({ toolboxAccess: false }), 'echo', 'no-toolbox-access'],
  ['a stopped instance', true, item({}, { desired: 'stopped' }), 'echo', 'instance-not-running'],
  ['a removed instance', true, item({}, { desired: 'absent' }), 'echo', 'instance-not-running'],
  ['another spelling', true, item(), 'Echo', 'not-granted'],
  ['a name of an object', true, item(), 'constructor', 'not-granted'],
] as const)('%s', (_, enabled, of, name, expected) => {
  const decision = authorise(belt([of], enabled), of, name)
  expect(decision.allowed || decision.because).toBe(expected)
})

const names = fc.constantFrom('echo', 'add', 'drop_all', 'a.b', 'x'.repeat(90))
const anyItem = (n: number) =>
  fc
    .record({
      enabled: fc.boolean(),
      toolboxAccess: fc.boolean(),
      allowed: fc.uniqueArray(names),
      offered: fc.array(names, { maxLength: 4 }),
      desired: fc.constantFrom('running', 'stopped', 'absent'),
      name: fc.constantFrom('demo', 'mail', 'x'.repeat(63)),
    })
    .map(({ enabled, toolboxAccess, allowed, offered, desired, name }) =>
      item(
        { id: `belt_${n}`, enabled, toolboxAccess, allowed: new Map(allowed.map((name) => [name, name])) },
        { id: `inst_${n}`, name, desired, capabilities: offered.map(capability) },
      ),
    )

test('M15 what is listed may be called, what may be called is listed, and one name leads to one capability', () => {
  fc.assert(
    fc.property(fc.boolean(), fc.tuple(anyItem(1), anyItem(2), anyItem(3)), (enabled, items) => {
      const toolbelt = belt(items, enabled)
      const { listed, resolve } = openToolbelt(toolbelt)
      const listedNames = listed.map(({ name }) => name as string)
      expect(new Set(listedNames).size).toBe(listedNames.length)
      for (const name of listedNames) {
        const entry = resolve(name)
        expect(entry && authorise(toolbelt, entry.item, entry.capability).allowed).toBe(true)
      }
      const { entries } = openToolbelt(toolbelt)
      for (const [name, entry] of entries)
        expect(authorise(toolbelt, entry.item, entry.capability).allowed).toBe(listedNames.includes(name))
    }),
    { numRuns: 500 },
  )
})

test('M08 two capabilities that come to the same name are neither listed nor callable: nobody shadows another', () => {
  const twins = [item(), item({ id: 'belt_2' }, { id: 'inst_2', toolbox: { ...item().instance.toolbox, id: 'other' } })]
  const open = openToolbelt(belt(twins))
  expect(open.listed).toEqual([])
  expect(open.resolve('demo__echo')).toBeUndefined()
})

test('M09 what is listed has clean words, the name at the gateway, and nothing that only we need', () => {
  const described = {
    ...capability('echo'),
    description: 'Echoes\u200b what it gets\u001b[2J',
    inputSchema: {
      type: 'object',
      properties: { text: { type: 'string', description: 'te\u202ext', 'x-mcp-header': 'Text' } },
    },
    annotations: { readOnlyHint: true },
  }
  expect(openToolbelt(belt([item({}, { capabilities: [described] })])).listed).toEqual([
    {
      name: 'demo__echo',
      description: 'Echoes what it gets',
      inputSchema: { type: 'object', properties: { text: { type: 'string', description: 'text' } } },
      annotations: { readOnlyHint: true },
    },
  ])
})
