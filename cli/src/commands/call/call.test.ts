import { type Call, PROBLEMS } from '@agentopia/api'
import { expect, test } from 'vitest'
import { run } from '../../run.ts'

const HASH = 'a'.repeat(64)
const agent = {
  id: 'agent_0000000000000000',
  name: 'helper',
  description: '',
  enabled: true,
  toolboxIds: [],
  toolbeltSize: 0,
  limits: { perDay: 5 },
  createdAt: '2026-01-01T00:00:00.000Z',
}
const call = (n: number, change: Partial<Call> = {}): Call => ({
  id: `call_000000000000000${n}`,
  agentId: agent.id,
  agentName: 'helper',
  instanceName: 'demo',
  capability: 'echo',
  outcome: 'ok',
  startedAt: '2026-01-01T00:00:00.000Z',
  durationMs: 1.25,
  argumentDigest: HASH,
  argumentBytes: 2,
  ...change,
})

/** Runs a command line against answers by `METHOD path`, in order where there are several. */
async function agentopia(line: string, answers: Record<string, readonly unknown[]>) {
  const out: string[] = []
  const err: string[] = []
  const heard: { what: string; query: Record<string, string>; body: unknown }[] = []
  const left = Object.fromEntries(Object.entries(answers).map(([what, all]) => [what, [...all]]))
  const code = await run(line.split(' '), {
    env: { AGENTOPIA_TOKEN: 'tbx_x', HOME: '/nowhere' },
    streams: { out: (text) => void out.push(text), err: (text) => void err.push(text) },
    readInput: async () => '',
    signal: new AbortController().signal,
    fetch: async (url, init) => {
      const { pathname, searchParams } = new URL(String(url))
      const what = `${init?.method} ${pathname}`
      const body = init?.body ? JSON.parse(String(init.body)) : undefined
      heard.push({ what, query: Object.fromEntries(searchParams), body })
      const answer = left[what]?.shift()
      if (answer === undefined) throw new TypeError('fetch failed')
      return answer instanceof Response ? answer : Response.json(answer)
    },
  })
  return { code, out: out.join(''), err: err.join(''), heard }
}

test('calls are asked for by the names that people know', async () => {
  const { out, heard } = await agentopia('call list --agent helper --outcome failed --text echo --limit 3', {
    'GET /api/agents': [{ items: [agent] }],
    'GET /api/calls': [{ items: [call(1, { outcome: 'failed', code: 'tool-failed' })] }],
  })
  expect(heard[1]?.query).toEqual({ agentId: agent.id, outcome: 'failed', text: 'echo', limit: '3' })
  expect(out).toMatch(/helper +demo__echo +failed +tool-failed +1\.3/)
})

test('K10 what a stranger called a capability moves no cursor', async () => {
  const { out } = await agentopia('call list', {
    'GET /api/calls': [{ items: [call(1, { capability: 'a\u001b[2Jb\nforged' })] }],
  })
  expect(out).toContain('a\\u001b[2Jb forged')
})

test('a tail tells each call once, as it comes, and none from before', async () => {
  const events = ['{"noun":"agent"}', '{"noun":"call"}', '{"noun":"everything"}'].map((data) => `data: ${data}\n\n`)
  const { out } = await agentopia('call tail --json', {
    'GET /api/events': [new Response(events.join(''), { headers: { 'content-type': 'text/event-stream' } })],
    'GET /api/calls': [
      { items: [call(1)] },
      { items: [call(3), call(2), call(1)] },
      { items: [call(4), call(3), call(2), call(1)] },
    ],
  })
  const ids = out
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as Call).id.at(-1))
  expect(ids).toEqual(['2', '3', '4'])
})

test('an export goes to standard output as it comes', async () => {
  const { out, heard } = await agentopia('call export --format csv --from 2026-01-01T00:00:00Z', {
    'GET /api/calls/export': [new Response('a,b\r\n1,2\r\n')],
  })
  expect(out).toBe('a,b\r\n1,2\r\n')
  expect(heard[0]?.query).toEqual({ format: 'csv', from: '2026-01-01T00:00:00Z' })
})

test('an intact chain ends with 0 and tells its head; a broken one names the record and ends with 1', async () => {
  const found = { intact: true, checked: 9, head: { sequence: 9, hash: HASH }, unchained: 0 }
  const intact = await agentopia(`call verify --head 4:${HASH}`, { 'GET /api/calls/verification': [found] })
  expect([intact.code, intact.heard[0]?.query]).toEqual([0, { sequence: '4', hash: HASH }])
  expect(intact.out).toContain(`9:${HASH}`)
  const broken = { sequence: 5, callId: 'call_5', reason: 'altered', message: 'The record is not as it was written' }
  const { code, out, err } = await agentopia('call verify', {
    'GET /api/calls/verification': [{ ...found, intact: false, broken }],
  })
  expect(code).toBe(1)
  expect(out).toContain('call_5')
  expect(err).toContain(PROBLEMS['chain-broken'].title)
})

test('a limit is added to those that are set, and `none` takes it away', async () => {
  const limit = (line: string, limits: object) =>
    agentopia(`agent limit helper ${line}`, {
      'GET /api/agents': [{ items: [{ ...agent, limits }] }],
      [`PATCH /api/agents/${agent.id}`]: [agent],
    }).then(({ heard }) => (heard[1]?.body as { limits: object } | undefined)?.limits)
  expect(await limit('--per-minute 3', { perDay: 5 })).toEqual({ perDay: 5, perMinute: 3 })
  expect(await limit('--per-day none', { perDay: 5 })).toEqual({})
  expect(await limit('--capability demo__echo --per-minute 3', { perDay: 5 })).toEqual({
    perDay: 5,
    capabilities: [{ capability: 'demo__echo', perMinute: 3 }],
  })
  expect(await limit('--per-minute none', {})).toEqual({ perMinute: null })
})

test.each([
  ['--per-day abc', '--per-day: must be a number, or none'],
  ['--per-minute 0', '--per-minute: must be at least 1, or none'],
  ['--per-minute 3.5', '--per-minute: must be a number, or none'],
  ['--result-bytes 99999999', '--result-bytes: must be at most 12582912, or none'],
  ['--capability demo__echo --result-bytes 5', '--result-bytes: is of the whole agent; leave --capability out'],
])('`agent limit %s` names the option, and ends as a wrong command line does', async (line, words) => {
  const { code, err, heard } = await agentopia(`agent limit helper ${line}`, {})
  expect([code, heard]).toEqual([64, []])
  expect(err).toContain(words)
})

test('one call is shown with what was seen of secrets, and its payload only where it is asked for', async () => {
  const id = 'call_0000000000000001'
  const record = {
    ...call(1, { id, secretsSeen: ['result:own-secret'] }),
    payload: { keptUntil: '2026-01-08T00:00:00.000Z', bytes: 9 },
  }
  const part = { whole: true, json: { text: 'a\u001b[2Jb' } }
  const payload = {
    callId: id,
    arguments: part,
    result: { whole: false, text: '{"half' },
    keptUntil: record.payload.keptUntil,
  }
  const plain = await agentopia(`call show ${id}`, { [`GET /api/calls/${id}`]: [record] })
  expect(plain.out).toMatch(/found in it +result:own-secret/)
  expect(plain.heard).toHaveLength(1)
  const { out } = await agentopia(`call show ${id} --payload`, {
    [`GET /api/calls/${id}`]: [record],
    [`GET /api/calls/${id}/payload`]: [payload],
  })
  expect(out).toContain('"text": "a\\u001b[2Jb"')
  expect(out).toContain('{"half\n(the beginning; the rest is not kept)')
})

test('what is kept is set in days, and forgotten by what it is of', async () => {
  const rules = { account: { days: 3, mostBytes: 1_000, redact: ['$..token'] }, instances: [] }
  const set = await agentopia('call payloads 3 --most-bytes 1000 --redact $..token', {
    'PUT /api/calls/payload-rules': [rules],
  })
  expect(set.heard[0]?.body).toEqual({ days: 3, mostBytes: 1_000, redact: ['$..token'] })
  expect(set.out).toMatch(/3 days +1000 bytes each +\$\.\.token/)
  const gone = await agentopia('call forget --agent helper', {
    'GET /api/agents': [{ items: [agent] }],
    'DELETE /api/calls/payloads': [{ removed: 7 }],
  })
  expect(gone.heard[1]?.query).toEqual({ agentId: agent.id })
  expect((await agentopia('call forget', {})).code).not.toBe(0)
})

test('what is done about secrets is one of three words', async () => {
  const settings = { enabled: true, retentionDays: null, secrets: 'block', dataFlow: 'warn', approvalSeconds: 300 }
  const { heard, out } = await agentopia('call secrets block', { 'PATCH /api/calls/settings': [settings] })
  expect(heard[0]?.body).toEqual({ secrets: 'block' })
  expect(out).toMatch(/secrets in calls +block/)
  expect((await agentopia('call secrets perhaps', {})).heard).toEqual([])
})
