import type { FlowLabel } from '@agentopia/api'
import type { Capability } from '@agentopia/dtma/contract'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dataFlowOf, type FlowItem } from './agent-flow.ts'
import { type FlowFacts, labelsOf, WHOLE } from './flow-labels.ts'

const secret = { key: 'k', title: 'k', required: true, target: { env: 'K' } }
const tool = (change: Partial<NonNullable<FlowFacts['tool']>> = {}) => ({
  egress: 'none' as const,
  keepsState: false,
  secrets: [],
  ...change,
})
const facts = (change: Partial<FlowFacts> = {}): FlowFacts => ({
  tool: tool(),
  flow: undefined,
  said: new Map(),
  ...change,
})
const labels = (given: FlowFacts, capability = 'x', openWorld?: unknown) =>
  labelsOf(given, capability, openWorld).map(({ label, source }) => `${label} by ${source}`)

test.each([
  ['a tool without network, secrets and state', facts(), undefined, []],
  ['a tool that keeps something', facts({ tool: tool({ keepsState: true }) }), undefined, ['private by state']],
  ['a tool with secrets', facts({ tool: tool({ secrets: [secret] }) }), undefined, ['private by secrets']],
  [
    'a tool with a network',
    facts({ tool: tool({ egress: 'any' }) }),
    undefined,
    ['untrusted by network', 'outward by network'],
  ],
  [
    'a tool with one host',
    facts({ tool: tool({ egress: [{ host: 'a.example', port: 443 }] }) }),
    true,
    ['untrusted by network', 'outward by network'],
  ],
  [
    'a tool with a network that says it deals with nothing outside',
    facts({ tool: tool({ egress: 'any' }) }),
    false,
    [],
  ],
  ['a tool without a network that says it deals with the world', facts(), true, []],
  [
    'a tool that the catalogue has no more',
    facts({ tool: undefined }),
    undefined,
    ['private by secrets', 'untrusted by network', 'outward by network'],
  ],
  [
    'what the catalogue says',
    facts({ tool: tool({ egress: 'any' }), flow: { labels: ['private'] } }),
    undefined,
    ['private by catalogue'],
  ],
  [
    'what the catalogue says of one capability',
    facts({ flow: { labels: ['private'], capabilities: { x: ['untrusted'] } } }),
    undefined,
    ['untrusted by catalogue'],
  ],
  [
    'a catalogue that says it sends outwards, without a network',
    facts({ flow: { labels: ['outward'] } }),
    undefined,
    [],
  ],
  [
    'what an administrator says of the tool',
    facts({ said: new Map([[WHOLE, ['outward']]]) }),
    undefined,
    ['outward by admin'],
  ],
  [
    'what an administrator says of the capability',
    facts({
      tool: tool({ egress: 'any' }),
      said: new Map<string, FlowLabel[]>([
        [WHOLE, ['outward']],
        ['x', []],
      ]),
    }),
    undefined,
    [],
  ],
] as const)('%s', (_, given, openWorld, expected) => expect(labels(given, 'x', openWorld)).toEqual(expected))

const definition = (name: string, digest = 'd', annotations?: Record<string, unknown>): Capability => ({
  name,
  inputSchema: {},
  digest,
  ...(annotations ? { annotations } : {}),
})
const item = (name: string, label: FlowLabel, change: Partial<FlowItem> = {}): FlowItem => ({
  instanceName: name,
  plainNames: false,
  usable: true,
  allowed: new Map([['do', definition('do')]]),
  prompts: false,
  resources: false,
  known: true,
  capabilities: [definition('do')],
  facts: facts({ said: new Map([[WHOLE, [label]]]) }),
  ...change,
})
const three = [item('mail', 'private'), item('web', 'untrusted'), item('post', 'outward')]

test('an agent that has all three at once is warned of, by the names that it calls', () => {
  const { warnings, ...reach } = dataFlowOf(three)
  expect(reach).toEqual({ private: ['mail__do'], untrusted: ['web__do'], outward: ['post__do'] })
  expect(warnings).toMatchObject([{ kind: 'private-untrusted-outward', message: expect.stringContaining('mail__do') }])
})

test('one capability may be all three by itself', () => {
  const all = new Map<string, FlowLabel[]>([[WHOLE, ['private', 'untrusted', 'outward']]])
  expect(dataFlowOf([item('hub', 'private', { facts: facts({ said: all }) })]).warnings).toHaveLength(1)
})

test('any one of the three denied, switched off or gone, and there is nothing to warn of', () => {
  for (const without of three)
    for (const change of [{ usable: false }, { allowed: new Map() }, { capabilities: [] }])
      expect(dataFlowOf(three.map((one) => (one === without ? { ...one, ...change } : one))).warnings).toEqual([])
})

const online = facts({ tool: tool({ egress: 'any' }) })
const closed = { openWorldHint: false }
const outwardOf = (change: Partial<FlowItem>) =>
  dataFlowOf([item('web', 'outward', { facts: online, ...change })]).outward

test('what is allowed and was never offered is as its server is as a whole: it is callable as soon as it is there', () => {
  const allowed = new Map([['later', null]])
  expect(outwardOf({ allowed })).toEqual(['web__later'])
  expect(outwardOf({ allowed, known: false, capabilities: [] })).toEqual(['web__later'])
  expect(outwardOf({ allowed, facts: facts(), known: false, capabilities: [] })).toEqual([])
})

test('what waits for an approval is not reached, and when it is approved it is', () => {
  const [before, now] = [definition('do', 'before', closed), definition('do', 'now')]
  expect(outwardOf({ allowed: new Map([['do', before]]), capabilities: [now] })).toEqual([])
  expect(outwardOf({ allowed: new Map([['do', now]]), capabilities: [now] })).toEqual(['web__do'])
})

test('as long as its own container was not asked, an agent reaches what was allowed, by the definition that was', () => {
  const another = { known: false, capabilities: [definition('do', 'of others', closed)] }
  expect(outwardOf({ ...another, allowed: new Map([['do', definition('do')]]) })).toEqual(['web__do'])
  expect(outwardOf({ ...another, allowed: new Map([['do', definition('do', 'd', closed)]]) })).toEqual([])
})

test.each(['prompts', 'resources'] as const)('%s bring in, and what is asked of them is sent out', (what) => {
  const quiet = { allowed: new Map(), [what]: true }
  expect(dataFlowOf(three.map((one) => ({ ...one, ...quiet })))).toMatchObject({
    private: ['mail'],
    untrusted: ['web'],
    outward: ['post'],
    warnings: [{ kind: 'private-untrusted-outward' }],
  })
})

test('there is a warning exactly when each of the three is reached', () => {
  const label = fc.constantFrom<FlowLabel>('private', 'untrusted', 'outward')
  fc.assert(
    fc.property(fc.array(fc.tuple(label, fc.boolean()), { maxLength: 8 }), (given) => {
      const items = given.map(([one, usable], index) => item(`tool${index}`, one, { usable }))
      const reached = new Set(given.filter(([, usable]) => usable).map(([one]) => one))
      expect(dataFlowOf(items).warnings.length > 0).toBe(reached.size === 3)
    }),
  )
})
