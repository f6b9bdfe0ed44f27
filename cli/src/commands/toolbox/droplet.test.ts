import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { World } from '../../command.ts'
import { run } from '../../run.ts'

const TOOLBOX = {
  id: 'toolbox_0000000000000000',
  name: 'alpha',
  provider: 'digitalocean',
  status: 'active',
  statusSince: '2026-01-01T00:00:00.000Z',
  suspect: false,
  connected: true,
  toolCounts: { running: 0, total: 0 },
  createdAt: '2026-01-01T00:00:00.000Z',
  placement: { region: 'fra1', size: 's-1vcpu-1gb', image: 'debian-12-x64', monthlyUsd: 6 },
}
const ACTION = {
  id: 'deed_1',
  toolboxId: TOOLBOX.id,
  kind: 'resize',
  title: 'resize to s-2vcpu-4gb',
  state: 'asked',
  actor: 'ann',
  askedAt: '2026-01-01T00:00:00.000Z',
}
const PATH = `/api/toolboxes/${TOOLBOX.id}/droplet-actions`
const OPTIONS = {
  regions: [],
  images: [],
  sizes: [{ slug: 's-2vcpu-4gb', memoryMb: 4_096, vcpus: 2, diskGb: 80, monthlyUsd: 24, regions: ['fra1'] }],
}

/** Runs a command line; each look at the action sees the next of these states, and the last one from then on. */
async function agentopia(line: string, states: readonly object[] = []) {
  const out: string[] = []
  const err: string[] = []
  const sent: { readonly body: unknown; readonly key: string | null }[] = []
  const left = [...states]
  const world: World = {
    env: { HOME: '/nowhere', AGENTOPIA_TOKEN: 'tbx_canary' },
    streams: { out: (text) => void out.push(text), err: (text) => void err.push(text) },
    readInput: async () => '',
    signal: new AbortController().signal,
    fetch: async (url, init) => {
      const { pathname } = new URL(String(url))
      if (pathname === '/api/toolboxes') return Response.json({ items: [TOOLBOX] })
      if (pathname.endsWith('/options')) return Response.json(OPTIONS)
      if (pathname === PATH && init?.method === 'POST') {
        const key = new Headers(init.headers).get('idempotency-key')
        sent.push({ body: JSON.parse(String(init.body)), key })
        return Response.json(ACTION, { status: 202 })
      }
      await sleep(0)
      const now = left.length > 1 ? left.shift() : left[0]
      return Response.json({ items: [{ ...ACTION, ...now }] })
    },
  }
  const code = await run(line.split(' '), world)
  return { code, out: out.join(''), err: err.join(''), sent }
}

test('says what a resize costs before it asks, and asks with a key', async () => {
  const { code, out, err, sent } = await agentopia('toolbox resize alpha --size s-2vcpu-4gb')
  expect([code, out.trim(), err.trim()]).toEqual([
    0,
    'alpha: resize to s-2vcpu-4gb is asked',
    '24 USD a month instead of 6',
  ])
  expect(sent).toEqual([
    { body: { kind: 'resize', size: 's-2vcpu-4gb' }, key: expect.stringMatching(/^[0-9a-f-]{36}$/) },
  ])
})

test('waits for the end, telling each step; a failure is one', async () => {
  const steps = [
    { state: 'running', message: 'Shuts down' },
    { state: 'running', message: 'Gets its new size' },
  ]
  const fine = await agentopia('toolbox reboot alpha --wait', [...steps, { state: 'done' }])
  expect([fine.code, fine.err.trim().split('\n')]).toEqual([0, ['Shuts down', 'Gets its new size']])
  const failed = await agentopia('toolbox reboot alpha --wait', [{ state: 'failed', message: 'no capacity' }])
  expect([failed.code === 0, failed.err]).toEqual([false, expect.stringContaining('no capacity')])
})

test('a rebuild is not asked for without the name', async () => {
  const { code, sent } = await agentopia('toolbox rebuild alpha')
  expect([code === 0, sent]).toEqual([false, []])
  const { sent: confirmed } = await agentopia('toolbox rebuild alpha --confirm alpha')
  expect(confirmed[0]?.body).toEqual({ kind: 'rebuild', confirm: 'alpha' })
})
