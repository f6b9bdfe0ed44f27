import type { Approval } from '@agentopia/api'
import { expect, test } from 'vitest'
import { run } from '../../run.ts'

const approval: Approval = {
  id: 'appr_0000000000000000',
  agentId: 'agent_0000000000000000',
  agentName: 'helper',
  toolbeltItemId: 'belt_0000000000000000',
  instanceName: 'files',
  capability: 'wipe',
  destructive: true,
  callId: 'call_0000000000000000',
  via: 'mcp',
  state: 'waiting',
  arguments: '{\n  "path": "/\u001b[2J"\n}',
  argumentBytes: 12,
  argumentDigest: 'd',
  askedAt: '2026-01-01T00:00:00.000Z',
  expiresAt: '2026-01-01T00:05:00.000Z',
  always: false,
}

async function agentopia(line: string, items: readonly Approval[] = [approval], hints: readonly object[] = []) {
  const out: string[] = []
  const err: string[] = []
  const heard: unknown[] = []
  let reads = 0
  const code = await run(line.split(' '), {
    env: { AGENTOPIA_TOKEN: 'tbx_x', HOME: '/nowhere' },
    streams: { out: (text) => void out.push(text), err: (text) => void err.push(text) },
    readInput: async () => '',
    signal: new AbortController().signal,
    fetch: async (url, init) => {
      const { pathname, search } = new URL(String(url))
      heard.push([init?.method, pathname + search, init?.body ? JSON.parse(String(init.body)) : undefined])
      if (pathname === '/api/events') {
        const text = hints.map((hint) => `data: ${JSON.stringify(hint)}\n\n`).join('')
        return new Response(text, { headers: { 'content-type': 'text/event-stream' } })
      }
      if (pathname === '/api/approvals') return Response.json({ items: items.slice(0, ++reads) })
      return Response.json({ ...approval, arguments: undefined, state: 'denied', decidedBy: 'alice' })
    },
  })
  return { code, out: out.join(''), err: err.join(''), heard }
}

test('what waits is shown with its arguments, and moves no cursor', async () => {
  const { out } = await agentopia('approval list')
  expect(out).toContain('appr_0000000000000000  helper wants files__wipe  DESTRUCTIVE')
  expect(out).toContain('"path": "/\\u001b[2J"')
  expect((await agentopia('approval list', [])).out).toBe('Nothing waits for a person\n')
})

test('a decision says what was said, and nothing else', async () => {
  const path = '/api/approvals/appr_0000000000000000/decision'
  expect((await agentopia('approval approve appr_0000000000000000')).heard).toEqual([
    ['POST', path, { decision: 'approve', always: false }],
  ])
  expect((await agentopia('approval approve appr_0000000000000000 --always')).heard).toEqual([
    ['POST', path, { decision: 'approve', always: true }],
  ])
  const denied = await agentopia('approval deny appr_0000000000000000 --reason no')
  expect(denied.heard).toEqual([['POST', path, { decision: 'deny', reason: 'no' }]])
  expect(denied.out).toBe('appr_0000000000000000  denied by alice: files__wipe by helper\n')
})

test('whoever watches hears of each once', async () => {
  const second = { ...approval, id: 'appr_0000000000000001' }
  const hints = [{ noun: 'call' }, { noun: 'approval' }, { noun: 'approval' }]
  const { out } = await agentopia('approval watch --json', [approval, second], hints)
  expect(
    out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).id),
  ).toEqual([approval.id, second.id])
})
