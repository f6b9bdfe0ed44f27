import { PROBLEMS } from '@agentopia/api'
import { expect, test } from 'vitest'
import type { World } from '../../command.ts'
import { run } from '../../run.ts'

const TOKEN = 'dop_v1_canary'
const STATE = { provider: 'digitalocean', configured: true, hint: 'nary', missingScopes: [] }
const OPTIONS = {
  regions: [{ slug: 'fra1', name: 'Frankfurt 1' }],
  sizes: [{ slug: 's-1vcpu-1gb', memoryMb: 1_024, vcpus: 1, diskGb: 25, monthlyUsd: 6, regions: ['fra1'] }],
  images: [{ slug: 'debian-12-x64', name: 'Debian 12 x64', regions: ['fra1'] }],
}

/** Runs a command line against one answer. */
async function agentopia(line: string, answer: Response, input = '') {
  const out: string[] = []
  const err: string[] = []
  const sent: unknown[] = []
  const world: World = {
    env: { HOME: '/nowhere', AGENTOPIA_TOKEN: 'tbx_canary' },
    streams: { out: (text) => void out.push(text), err: (text) => void err.push(text) },
    readInput: async () => input,
    signal: new AbortController().signal,
    fetch: async (url, init) => {
      const { pathname } = new URL(String(url))
      sent.push([init?.method ?? 'GET', pathname, ...(init?.body ? [JSON.parse(String(init.body))] : [])])
      return answer
    },
  }
  const code = await run(line.split(' '), world)
  return { code, out: out.join(''), err: err.join(''), sent }
}

const PATH = '/api/providers/digitalocean'

test('the token comes by standard input, without its line end, and is not printed', async () => {
  const { code, out, err, sent } = await agentopia('provider set', Response.json(STATE), `${TOKEN}\n`)
  expect([code, sent]).toEqual([0, [['PUT', PATH, { token: TOKEN }]]])
  expect(out).toBe('configured  true\ntoken       …nary\n')
  expect(out + err).not.toContain(TOKEN)
})

test('a token that is refused is told with what to do, and is not printed', async () => {
  const { status, ...kind } = PROBLEMS['provider-refused']
  const detail = 'DigitalOcean answered: Unable to authenticate you (HTTP 401)'
  const body = { type: 'urn:x', ...kind, status, detail, instance: 'req-1', code: 'provider-refused' }
  const { code, out, err } = await agentopia('provider set', Response.json(body, { status }), TOKEN)
  expect([code, out]).toEqual([1, ''])
  expect(err).toContain(detail)
  expect(err).not.toContain(TOKEN)
})

test('what a token may not do is named', async () => {
  const lacking = { ...STATE, missingScopes: ['droplet:delete', 'firewall:create'] }
  const { out, sent } = await agentopia('provider show', Response.json(lacking))
  expect(sent).toEqual([['GET', PATH]])
  expect(out).toContain('lacks       droplet:delete, firewall:create')
  const none = { provider: 'digitalocean', configured: false, missingScopes: [] }
  expect((await agentopia('provider show', Response.json(none))).out).toBe('configured  false\n')
})

test('regions, sizes with prices, and images are listed, or told to programs as they are', async () => {
  const { out } = await agentopia('provider options', Response.json(OPTIONS))
  const [regions, sizes, images] = out.trim().split('\n\n')
  expect(regions).toMatch(/fra1 +Frankfurt 1/)
  expect(sizes).toMatch(/USD a month\ns-1vcpu-1gb +1024 +1 +25 +6$/)
  expect(images).toMatch(/debian-12-x64 +Debian 12 x64/)
  const json = await agentopia('provider options --json', Response.json(OPTIONS))
  expect(JSON.parse(json.out)).toEqual(OPTIONS)
})

test('a token is forgotten', async () => {
  const { code, out, sent } = await agentopia('provider forget', new Response(null, { status: 204 }))
  expect([code, out, sent]).toEqual([0, 'The token is forgotten\n', [['DELETE', PATH]]])
})
