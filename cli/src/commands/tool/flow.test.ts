import type { Toolbox, ToolInstance } from '@agentopia/api'
import { expect, test } from 'vitest'
import { run } from '../../run.ts'

const toolboxId = 'toolbox_0000000000000000'
const at = '2026-01-01T00:00:00.000Z'
const toolbox: Toolbox = {
  id: toolboxId,
  name: 'box',
  provider: 'join',
  status: 'active',
  statusSince: at,
  suspect: false,
  connected: true,
  toolCounts: { running: 1, total: 1 },
  createdAt: at,
}
const instance: ToolInstance = {
  id: 'inst_0000000000000000',
  toolboxId,
  toolId: 'memory',
  name: 'demo',
  desired: 'running',
  generation: 1,
  config: {},
  state: 'running',
  restarts: 0,
  createdAt: at,
}
const message = 'It reads private data'
const ANSWERS: Record<string, unknown> = {
  'GET /api/toolboxes': { items: [toolbox] },
  [`GET /api/toolboxes/${toolboxId}/tools`]: { items: [instance] },
  [`PUT /api/toolboxes/${toolboxId}/tools/${instance.id}/data-flow`]: {
    items: [{ labels: [{ label: 'outward', source: 'admin' }], overridden: true }],
    warnings: [{ kind: 'private-untrusted-outward', message, agentId: 'agent_0000000000000000', agentName: 'helper' }],
  },
}

test('who says what a tool means is warned of the agents that become dangerous by it, by their names', async () => {
  const [out, err]: [string[], string[]] = [[], []]
  const code = await run(['tool', 'flow', 'box/demo', '--labels', 'outward'], {
    env: { AGENTOPIA_TOKEN: 'tbx_x', HOME: '/nowhere' },
    streams: { out: (text) => void out.push(text), err: (text) => void err.push(text) },
    readInput: async () => '',
    signal: new AbortController().signal,
    fetch: async (url, init) => Response.json(ANSWERS[`${init?.method} ${new URL(String(url)).pathname}`]),
  })
  expect(err.join('')).toBe('Warning: helper: It reads private data\n')
  expect([code, out.join('')]).toEqual([0, expect.stringContaining('yes (admin)')])
})
