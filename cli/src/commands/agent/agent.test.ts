import type { AgentToken, ToolbeltItem } from '@agentopia/api'
import { expect, test } from 'vitest'
import { run } from '../../run.ts'

const agent = {
  id: 'agent_0000000000000000',
  name: 'scout',
  description: '',
  enabled: true,
  toolboxIds: [],
  toolbeltSize: 1,
  limits: {},
  createdAt: '2026-01-01T00:00:00.000Z',
}
const token = (id: string, name: string, more: Partial<AgentToken> = {}): AgentToken => ({
  id: `token_${id.padStart(16, '0')}`,
  name,
  hint: 'agt_ab',
  createdAt: '2026-01-01T00:00:00.000Z',
  ...more,
})
const laptop = token('1', 'laptop', { expiresAt: '2026-03-01T00:00:00.000Z' })
const tokens = [laptop, token('2', 'twice'), token('3', 'twice')]

const item = (
  id: string,
  instanceName: string,
  names: Readonly<Record<string, string>>,
  plainNames = false,
): ToolbeltItem => ({
  id: `belt_${id.padStart(16, '0')}`,
  agentId: agent.id,
  instanceId: `inst_${id.padStart(16, '0')}`,
  instanceName,
  toolboxId: 'toolbox_0000000000000000',
  toolId: 'everything',
  enabled: true,
  prompts: false,
  resources: false,
  plainNames,
  askPatterns: [],
  offer: 'shared',
  permissions: Object.entries(names).map(([gatewayName, capability]) => ({
    capability,
    gatewayName,
    allowed: true,
    ask: false,
    offered: true,
  })),
})
const demo = item('1', 'demo', { demo__echo: 'echo', demo__a_b_12345678: 'a.b', demo__both: 'both' })
const bare = item('2', 'bare', { echo: 'echo', look__up: 'look__up', demo__both: 'demo__both' }, true)

/** Runs a command line against one agent, its tokens and its toolbelt. */
async function agentopia(line: string) {
  const out: string[] = []
  const err: string[] = []
  const sent: unknown[] = []
  const answers: Record<string, () => unknown> = {
    'GET /api/agents': () => ({ items: [agent] }),
    [`GET /api/agents/${agent.id}/tokens`]: () => ({ items: tokens }),
    [`GET /api/agents/${agent.id}/toolbelt`]: () => ({ items: [demo, bare] }),
    [`POST /api/agents/${agent.id}/tokens`]: () => ({
      token: laptop,
      secret: 'agt_secret',
      mcpUrl: 'https://tools.example.com/mcp',
      snippets: [],
    }),
  }
  const code = await run(line.split(' '), {
    env: { AGENTOPIA_TOKEN: 'tbx_x', HOME: '/nowhere' },
    streams: { out: (text) => void out.push(text), err: (text) => void err.push(text) },
    readInput: async () => '',
    signal: new AbortController().signal,
    fetch: async (url, init) => {
      const { pathname } = new URL(String(url))
      const method = init?.method ?? 'GET'
      if (method !== 'GET') sent.push([method, pathname, ...(init?.body ? [JSON.parse(String(init.body))] : [])])
      if (method === 'DELETE') return new Response(null, { status: 204 })
      const answer = answers[`${method} ${pathname}`]
      return Response.json(answer ? answer() : { callId: 'call_0000000000000000', durationMs: 1, result: {} })
    },
  })
  return { code, out: out.join(''), err: err.join(''), sent }
}

const tokenPath = (id: string) => `/api/agents/${agent.id}/tokens/token_${id.padStart(16, '0')}`

test('lists the tokens of an agent with when they expire, for people and for programs', async () => {
  expect((await agentopia('agent tokens scout')).out).toMatch(
    /laptop +agt_ab +– +2026-03-01T00:00:00.000Z +token_0+1\n/,
  )
  expect(JSON.parse((await agentopia('agent tokens scout --json')).out)).toEqual({ items: tokens })
})

test('revokes a token by its name or its id', async () => {
  for (const which of ['laptop', laptop.id]) {
    const { code, out, sent } = await agentopia(`agent revoke-token scout ${which}`)
    expect([code, sent]).toEqual([0, [['DELETE', tokenPath('1')]]])
    expect(out).toBe('laptop of scout is revoked\n')
  }
  expect(JSON.parse((await agentopia('agent revoke-token scout laptop --json')).out)).toEqual({ revoked: laptop.id })
})

test('a name that several tokens have revokes none, and neither does one that none has', async () => {
  const twice = await agentopia('agent revoke-token scout twice')
  expect([twice.code, twice.sent]).toEqual([1, []])
  expect(twice.err).toContain(`say which by its id: ${tokens[1]?.id}, ${tokens[2]?.id}`)
  const nothing = await agentopia('agent revoke-token scout nothing')
  expect([nothing.code, nothing.sent]).toEqual([1, []])
  expect(nothing.err).toContain('scout has no token that is called nothing')
})

test('a token is made for as many days as are said, and without end when nothing is', async () => {
  const { out, sent } = await agentopia('agent connect scout --name laptop --expires-in 30')
  expect(sent).toEqual([['POST', `/api/agents/${agent.id}/tokens`, { name: 'laptop', expiresInDays: 30 }]])
  expect(out).toContain('The token expires: 2026-03-01T00:00:00.000Z')
  expect((await agentopia('agent connect scout')).sent).toEqual([
    ['POST', `/api/agents/${agent.id}/tokens`, { name: 'agentopia CLI' }],
  ])
})

test.each(['0', '3651', '1.5', 'soon', '-1'])('%s is no number of days: no token is made', async (days) => {
  const { code, err, sent } = await agentopia(`agent connect scout --expires-in=${days}`)
  expect([code, sent]).toEqual([64, []])
  expect(err).toContain('--expires-in')
})

test.each([
  ['demo__echo', demo, 'echo'],
  ['demo__a_b_12345678', demo, 'a.b'],
  ['demo__a.b', demo, 'a.b'],
  ['demo__not_listed', demo, 'not_listed'],
  ['echo', bare, 'echo'],
  ['look__up', bare, 'look__up'],
  ['bare__look__up', bare, 'look__up'],
  ['demo__both', demo, 'both'],
])('%s is called at its tool, as it is called there', async (name, { id }, capability) => {
  const { code, sent } = await agentopia(`agent call scout ${name}`)
  expect(code).toBe(0)
  expect(sent).toEqual([['POST', expect.stringContaining(id), { capability, arguments: {} }]])
})

test('a name that leads nowhere is said to, and nothing is called', async () => {
  const { code, err, sent } = await agentopia('agent call scout nowhere')
  expect([code, sent]).toEqual([1, []])
  expect(err).toContain('<tool>__<capability>')
})
