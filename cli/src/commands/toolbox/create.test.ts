import { PROBLEMS } from '@agentopia/api'
import { expect, test } from 'vitest'
import type { World } from '../../command.ts'
import { run } from '../../run.ts'

const TOOLBOX = {
  id: 'toolbox_0000000000000000',
  name: 'alpha',
  provider: 'digitalocean',
  status: 'pending_provision',
  statusSince: '2026-01-01T00:00:00.000Z',
  suspect: false,
  connected: false,
  toolCounts: { running: 0, total: 0 },
  createdAt: '2026-01-01T00:00:00.000Z',
  placement: { region: 'fra1', size: 's-1vcpu-1gb', image: 'debian-12-x64', monthlyUsd: 6 },
}
const LINE = {
  line: "curl -fsSL https://tools.example.com/install.sh | sudo sh -s -- toolbox_0000000000000000 <<'E'",
  expiresAt: '2026-01-01T00:15:00.000Z',
  updateLine: 'curl -fsSL https://tools.example.com/install.sh | sudo sh',
  uninstallLine: 'curl -fsSL https://tools.example.com/install.sh | sudo sh -s -- --uninstall',
}
const WHERE = { region: 'fra1', size: 's-1vcpu-1gb' }

interface Sent {
  readonly path: string
  readonly body: unknown
}

/** Runs a command line; each look at the toolbox sees the next of these states, and the last one from then on. */
async function agentopia(line: string, states: readonly object[] = [], refusal?: Response) {
  const out: string[] = []
  const err: string[] = []
  const sent: Sent[] = []
  const left = [...states]
  const world: World = {
    env: { HOME: '/nowhere', AGENTOPIA_TOKEN: 'tbx_canary' },
    streams: { out: (text) => void out.push(text), err: (text) => void err.push(text) },
    readInput: async () => '',
    signal: new AbortController().signal,
    fetch: async (url, init) => {
      const { pathname: path } = new URL(String(url))
      if (init?.method !== 'POST') return Response.json({ ...TOOLBOX, ...(left.length > 1 ? left.shift() : left[0]) })
      sent.push({ path, body: init.body ? JSON.parse(String(init.body)) : undefined })
      if (path.endsWith('/join-line')) return Response.json(LINE)
      return refusal ?? Response.json({ ...TOOLBOX, ...states[0] }, { status: 202 })
    },
  }
  const code = await run(line.split(' '), world)
  return { code, out: out.join(''), err: err.join(''), sent }
}

const DROPLET = 'toolbox create alpha --provider digitalocean --region fra1 --size s-1vcpu-1gb'

test('a droplet is asked for with what was said, and its price is told', async () => {
  const { code, out, err, sent } = await agentopia(DROPLET)
  expect([code, out, err]).toEqual([0, 'alpha is pending provision\n', 'alpha is asked for: 6 USD a month\n'])
  const body = { provider: 'digitalocean', name: 'alpha', variant: 'docker', image: 'debian-12-x64', direct: false }
  expect(sent).toEqual([{ path: '/api/toolboxes', body: { ...body, ...WHERE } }])
})

test('image, way of installation and road are passed on', async () => {
  const { sent } = await agentopia(`${DROPLET} --image docker-20-04 --variant systemd --direct`)
  expect(sent[0]?.body).toMatchObject({ image: 'docker-20-04', variant: 'systemd', direct: true })
})

test('a droplet without a place or a size is not asked for, and it is said where both are listed', async () => {
  const { code, err, sent } = await agentopia('toolbox create alpha --provider digitalocean --region fra1')
  expect([code, sent]).toEqual([1, []])
  expect(err).toContain('agentopia provider options')
})

test('what the control plane refuses is told with what to do', async () => {
  const { status, ...kind } = PROBLEMS['toolbox-limit-of-all']
  const detail = 'All accounts together have 5 toolboxes'
  const body = { type: 'urn:x', ...kind, status, detail, instance: 'req-1', code: 'toolbox-limit-of-all' }
  const { code, out, err } = await agentopia(DROPLET, [], Response.json(body, { status }))
  expect([code, out]).toEqual([1, ''])
  expect(err).toContain(detail)
  expect(err).toContain('MAX_TOOLBOXES_OF_ALL')
})

const stages = (...states: readonly (readonly [stage: string, state: string])[]) =>
  states.map(([stage, state]) => ({ stage, state, at: '2026-01-01T00:00:00.000Z' }))

test('who waits is told each stage, and the end', async () => {
  const { code, out, err } = await agentopia(`${DROPLET} --wait`, [
    { status: 'provisioning' },
    { status: 'awaiting_heartbeat', boot: { stages: stages(['docker', 'running']) } },
    { status: 'awaiting_heartbeat', boot: { stages: stages(['docker', 'done'], ['image', 'running']) } },
    { status: 'active', boot: { stages: stages(['enrolled', 'done']) } },
  ])
  expect([code, out]).toEqual([0, 'alpha is active\n'])
  expect(err.split('\n').filter(Boolean)).toEqual([
    'alpha is asked for: 6 USD a month',
    'provisioning',
    'awaiting heartbeat: docker running',
    'awaiting heartbeat: image running',
    'active: enrolled done',
  ])
})

test('who waits for what fails is shown the end of its log, and why, before the exit code says so', async () => {
  const log = Array.from({ length: 60 }, (_, n) => `line ${n + 1}`).join('\n')
  const failed = {
    status: 'error_provisioning',
    statusReason: 'Docker could not be installed',
    boot: { stages: stages(['docker', 'failed']), log: `${log}\nE: no \u001b[31mcandidate\n` },
  }
  const { code, out, err } = await agentopia(`${DROPLET} --wait`, [{ status: 'provisioning' }, failed])
  expect([code, out]).toEqual([1, ''])
  expect(err).toContain('The log of the installation ends with:\n  | line 42\n')
  expect(err).toContain('  | E: no \\u001b[31mcandidate\n')
  expect(err).not.toContain('line 41')
  expect(err.indexOf('candidate')).toBeLessThan(err.indexOf('Docker could not be installed\n  code'))
  const { out: json, err: jsonErr } = await agentopia(`${DROPLET} --wait --json`, [failed])
  expect(json).toBe('')
  expect(JSON.parse(jsonErr)).toMatchObject({ code: 'provider-refused', detail: 'Docker could not be installed' })
})

test('who waits in vain is told what it waits for still', async () => {
  const { code, err } = await agentopia(`${DROPLET} --wait --timeout 0.05`, [{ status: 'provisioning' }])
  expect(code).toBe(1)
  expect(err).toContain('alpha is provisioning after 0.05 s')
})

test('a server of one’s own gets its line, alone on standard output', async () => {
  const { code, out, err, sent } = await agentopia('toolbox create server --direct --address 203.0.113.9 --port 30001')
  expect([code, out]).toEqual([0, `${LINE.line}\n`])
  expect(err).toContain('It works once, for 15 minutes')
  expect(sent).toEqual([
    {
      path: '/api/toolboxes',
      body: {
        provider: 'join',
        name: 'server',
        variant: 'docker',
        direct: { address: '203.0.113.9', port: 30_001, plainHttp: false },
      },
    },
    { path: `/api/toolboxes/${TOOLBOX.id}/join-line`, body: undefined },
  ])
})

test('half a direct road, or a server over SSH without its address, is not asked for', async () => {
  for (const line of [
    'toolbox create server --direct',
    'toolbox create server --address 203.0.113.9',
    'toolbox create server --provider ssh',
  ]) {
    const { code, sent } = await agentopia(line)
    expect([line, code, sent]).toEqual([line, 1, []])
  }
})

test('a server over SSH is told what comes next', async () => {
  const { code, err, sent } = await agentopia('toolbox create server --provider ssh --host 203.0.113.9 --user ann')
  expect(code).toBe(0)
  expect(sent[0]?.body).toMatchObject({ provider: 'ssh', host: '203.0.113.9', port: 22, user: 'ann' })
  expect(err).toContain('agentopia toolbox host-key server')
})
