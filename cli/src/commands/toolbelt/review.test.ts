import { expect, test } from 'vitest'
import { run } from '../../run.ts'

const agent = {
  id: 'agent_0000000000000000',
  name: 'helper',
  description: '',
  enabled: true,
  toolboxIds: [],
  toolbeltSize: 1,
  limits: {},
  createdAt: '2026-01-01T00:00:00.000Z',
}
const definition = (description: string, digest: string, more: object = {}) => ({
  name: 'echo',
  description,
  inputSchema: { type: 'object' },
  digest: digest.repeat(64),
  ...more,
})
const changed = {
  from: definition('Echoes', 'a', { annotations: { readOnlyHint: true } }),
  to: definition('Mails\u001b[2J', 'b'),
}
const itemWith = (permissions: readonly object[]) => ({
  id: 'belt_0000000000000000',
  agentId: agent.id,
  instanceId: 'inst_0000000000000000',
  instanceName: 'demo',
  toolboxId: 'toolbox_0000000000000000',
  toolId: 'everything',
  enabled: true,
  prompts: false,
  resources: false,
  plainNames: false,
  askPatterns: [],
  offer: 'shared',
  permissions,
})
const permission = { capability: 'echo', gatewayName: 'demo__echo', allowed: true, ask: false, offered: true }

async function agentopia(line: string, isChanged = true, warnings: readonly object[] = []) {
  const out: string[] = []
  const err: string[] = []
  const approved: unknown[] = []
  const item = itemWith([isChanged ? { ...permission, changed } : permission])
  const code = await run(line.split(' '), {
    env: { AGENTOPIA_TOKEN: 'tbx_x', HOME: '/nowhere' },
    streams: { out: (text) => void out.push(text), err: (text) => void err.push(text) },
    readInput: async () => '',
    signal: new AbortController().signal,
    fetch: async (url, init) => {
      if (new URL(String(url)).pathname === '/api/agents') return Response.json({ items: [agent] })
      if (init?.method === 'GET') return Response.json({ items: [item] })
      approved.push(JSON.parse(String(init?.body)))
      return Response.json({ ...itemWith([permission]), warnings })
    },
  })
  return { code, out: out.join(''), err: err.join(''), approved }
}

test('M07 a review says what changed, gravest first, and how to approve just that', async () => {
  const { out, code } = await agentopia('toolbelt review helper')
  expect(code).toBe(0)
  expect(out.split('\n').slice(0, 2)).toEqual(['demo__echo  DANGER', '  danger   hints: no longer only reads'])
  expect(out).toContain('- Echoes')
  expect(out).toContain('+ Mails\\u{1b}[2J') // and moves no cursor
  expect(out).toContain('approve: agentopia toolbelt approve helper demo echo@bbbbbbbbbbbb')
  expect((await agentopia('toolbelt review helper demo', false)).out).toBe('Nothing that helper may use has changed\n')
})

test('M07 what is approved is what was looked at, by its digest', async () => {
  const { approved, out } = await agentopia('toolbelt approve helper demo echo@bbbbbbbbbbbb')
  expect(approved).toEqual([{ approve: [{ capability: 'echo', digest: 'b'.repeat(64) }] }])
  expect(out).toBe('Approved for helper. Nothing else of demo has changed\n')
})

test('what an approval means for the flow of data is said beside it', async () => {
  const warnings = [{ kind: 'private-untrusted-outward', message: 'It reads private data' }]
  const { err, out } = await agentopia('toolbelt approve helper demo echo@bbbbbbbbbbbb', true, warnings)
  expect(err).toBe('Warning: It reads private data\n')
  expect(out).toBe('Approved for helper. Nothing else of demo has changed\n')
})

test.each([
  ['without a digest', 'echo', 'toolbelt review'],
  ['with that of another definition', 'echo@aaaaaaaaaaaa', 'review it again'],
  ['of what has not changed', 'add@bbbbbbbbbbbb', 'has not changed'],
])('M07 nothing is approved %s', async (_, word, why) => {
  const { approved, code, err } = await agentopia(`toolbelt approve helper demo ${word}`)
  expect(approved).toEqual([])
  expect(code).not.toBe(0)
  expect(err).toContain(why)
})
