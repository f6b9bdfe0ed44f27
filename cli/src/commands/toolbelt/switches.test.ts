import type { ToolbeltItem } from '@agentopia/api'
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
const item: ToolbeltItem = {
  id: 'belt_0000000000000000',
  agentId: agent.id,
  instanceId: 'inst_0000000000000000',
  instanceName: 'demo',
  toolboxId: 'toolbox_0000000000000000',
  toolId: 'everything',
  enabled: true,
  prompts: true,
  resources: false,
  plainNames: false,
  askPatterns: [],
  offer: 'shared',
  permissions: [],
}

/** Runs a command line against one agent with one item; an item that is changed is as the change says. */
async function agentopia(line: string, of: ToolbeltItem = item) {
  const out: string[] = []
  const err: string[] = []
  const changes: unknown[] = []
  const code = await run(line.split(' '), {
    env: { AGENTOPIA_TOKEN: 'tbx_x', HOME: '/nowhere' },
    streams: { out: (text) => void out.push(text), err: (text) => void err.push(text) },
    readInput: async () => '',
    signal: new AbortController().signal,
    fetch: async (url, init) => {
      if (new URL(String(url)).pathname === '/api/agents') return Response.json({ items: [agent] })
      if (init?.method === 'GET') return Response.json({ items: [of] })
      const change = JSON.parse(String(init?.body))
      changes.push(change)
      return Response.json({ ...of, ...change, warnings: [] })
    },
  })
  return { code, out: out.join(''), err: err.join(''), changes }
}

test('switches what is named, and nothing else', async () => {
  const { changes, out } = await agentopia('toolbelt set helper demo --resources on --plain-names on --prompts off')
  expect(changes).toEqual([{ prompts: false, resources: true, plainNames: true }])
  expect(out).toBe('tool         demo\nitem         on\nprompts      off\nresources    on\nplain names  on\n')
})

test('the whole item is switched off without a word about the rest', async () => {
  expect((await agentopia('toolbelt set helper demo --item off')).changes).toEqual([{ enabled: false }])
})

test('without options it says how the switches stand, and changes nothing', async () => {
  const { changes, out } = await agentopia('toolbelt set helper demo')
  expect(changes).toEqual([])
  expect(out).toMatch(/prompts +on\nresources +off\n/)
})

test('a word that is neither on nor off is a wrong command line', async () => {
  const { code, err, changes } = await agentopia('toolbelt set helper demo --prompts maybe')
  expect({ code, changes }).toEqual({ code: 64, changes: [] })
  expect(err).toContain('prompts')
})

const offering = (...names: string[]): ToolbeltItem => ({
  ...item,
  permissions: names.map((capability) => ({
    capability,
    gatewayName: `demo__${capability}`,
    allowed: false,
    ask: false,
    offered: true,
  })),
})

test('allows what is named, and what a pattern fits', async () => {
  const demo = offering('echo', 'read_mail', 'read_file', 'a.b')
  expect((await agentopia('toolbelt allow helper demo echo,read_*', demo)).changes).toEqual([
    { allow: ['echo', 'read_mail', 'read_file'], ask: [] },
  ])
  expect((await agentopia('toolbelt allow helper demo a?b', demo)).code).toBe(1)
})

test.each(['nonsense', 'echo,nonsense', 'no_*'])(
  '%s fits no capability: that is said, and nothing is changed',
  async (words) => {
    const { code, err, changes } = await agentopia(`toolbelt allow helper demo ${words}`, offering('echo', 'add'))
    expect([code, changes]).toEqual([1, []])
    expect(err).toContain(`No capability of demo is called ${words.split(',').at(-1)}: there are echo, add`)
  },
)

test('before any were discovered a name is taken on trust, a pattern is not', async () => {
  expect((await agentopia('toolbelt allow helper demo echo')).changes).toEqual([{ allow: ['echo'], ask: [] }])
  expect((await agentopia('toolbelt allow helper demo e*')).err).toContain('none were discovered so far')
})
