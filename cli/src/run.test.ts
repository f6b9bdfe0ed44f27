import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PROBLEMS } from '@agentopia/api'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { World } from './command.ts'
import { run } from './run.ts'

const EVIL = 'x\u001b]52;c;ZXZpbA==\u0007\u009b2J\u007fy\rz'
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
const OBEYED = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/

interface Heard {
  readonly method: string
  readonly path: string
  readonly authorization: string | null
  readonly body: unknown
}

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'agentopia-cli-'))
})

afterEach(() => rm(folder, { recursive: true }))

/** Runs a command line against answers by `METHOD path`. */
async function agentopia(
  line: string,
  answers: Record<string, unknown> = {},
  { input = '', signedIn = true, url = '' } = {},
) {
  const out: string[] = []
  const err: string[] = []
  const heard: Heard[] = []
  const world: World = {
    env: {
      HOME: folder,
      ...(signedIn ? { AGENTOPIA_TOKEN: 'tbx_canary' } : {}),
      ...(url ? { AGENTOPIA_URL: url } : {}),
    },
    streams: { out: (text) => void out.push(text), err: (text) => void err.push(text) },
    readInput: async () => input,
    signal: new AbortController().signal,
    fetch: async (url, init) => {
      const { pathname } = new URL(String(url))
      const headers = new Headers(init?.headers)
      heard.push({
        method: init?.method ?? 'GET',
        path: pathname,
        authorization: headers.get('authorization'),
        body: init?.body ? JSON.parse(String(init.body)) : undefined,
      })
      const answer = answers[`${init?.method ?? 'GET'} ${pathname}`]
      if (answer instanceof Response) return answer
      if (answer === undefined) throw new TypeError('fetch failed')
      return Response.json(answer)
    },
  }
  const code = await run(line.split(' ').filter(Boolean), world)
  return { code, out: out.join(''), err: err.join(''), heard }
}

const me = {
  user: { id: 'u', email: 'owner@localhost', name: 'Owner' },
  account: { id: 'a', name: 'default' },
  role: 'owner',
  hasPassword: false,
  hasSignOn: false,
}
const info = {
  product: 'Agentopia Toolboxes',
  version: '0.0.0',
  mcpUrl: 'https://tools.example.com/mcp',
  publicUrl: 'https://tools.example.com',
  variants: [],
}
const problemResponse = (code: keyof typeof PROBLEMS, detail: string) => {
  const { status, ...kind } = PROBLEMS[code]
  return Response.json(
    { type: `urn:agentopia:problem:${code}`, ...kind, status, detail, instance: 'req-1', code },
    { status },
  )
}

test('prints what people read, and JSON when asked', async () => {
  const answers = { 'GET /api/me': me }
  expect((await agentopia('whoami', answers)).out).toContain('owner@localhost')
  expect(JSON.parse((await agentopia('whoami --json', answers)).out)).toEqual(me)
})

test('the doctor ends with 1 when something is wrong, and tells programs what', async () => {
  const { code, out, err } = await agentopia('doctor --json', {}, { url: 'http://nobody.invalid:3000' })
  const { ok, checks } = JSON.parse(out) as { ok: boolean; checks: { id: string; state: string; fix?: string }[] }
  expect([code, ok]).toEqual([1, false])
  expect(checks.map(({ id, state }) => [id, state])).toEqual([
    ['network', 'failed'],
    ['control-plane', 'failed'],
    ...['version', 'clock', 'sign-in', 'docker', 'dtma', 'disk'].map((id) => [id, 'skipped']),
  ])
  for (const { state, fix } of checks) expect(fix !== undefined).toBe(state === 'failed')
  expect(JSON.parse(err)).toEqual({ code: 'checks-failed', detail: '2 of 8 checks failed' })
})

test('sends the token as a bearer token and never prints it', async () => {
  const { heard, out, err } = await agentopia('whoami', { 'GET /api/me': me })
  expect(heard[0]?.authorization).toBe('Bearer tbx_canary')
  expect(out + err).not.toContain('tbx_canary')
})

test('shows how a model connects to run the control plane, without a token: that is made by a person', async () => {
  const operatorUrl = 'https://tools.example.com/operator/mcp'
  const answers = { 'GET /api/info': { ...info, operatorUrl } }
  const { out, err } = await agentopia('operator connect --client cursor', answers)
  expect(out).toContain(`MCP endpoint of operators: ${operatorUrl}`)
  expect(out).toContain('"Authorization": "Bearer YOUR_API_TOKEN"')
  expect(out).not.toContain('claude mcp add')
  expect(out + err).not.toContain('tbx_canary')
  const { snippets } = JSON.parse((await agentopia('operator connect --json', answers)).out) as { snippets: object[] }
  expect(snippets).toHaveLength(7)
})

test('says detail, code and fix of a problem, with exit code 1', async () => {
  const { code, err } = await agentopia('toolbox show nowhere', { 'GET /api/toolboxes': { items: [] } })
  expect(code).toBe(1)
  expect(err).toMatch(/No toolbox is called nowhere[\s\S]*toolbox-not-found[\s\S]*fix/)
})

test('passes the problem of the server on as JSON', async () => {
  const { code, err } = await agentopia('catalog show nothing --json', {
    'GET /api/catalog/nothing': problemResponse('tool-not-found', 'The catalogue has no tool nothing'),
  })
  expect(code).toBe(1)
  expect(JSON.parse(err)).toMatchObject({ code: 'tool-not-found', retryable: false })
})

test('asks to sign in when there is no token', async () => {
  const { code, err } = await agentopia('whoami', {}, { signedIn: false })
  expect(code).toBe(1)
  expect(err).toContain('agentopia login')
})

test('says how to start a control plane that does not answer, with exit code 69', async () => {
  const { code, err } = await agentopia('whoami')
  expect(code).toBe(69)
  expect(err).toMatch(/No control plane answers at http:\/\/localhost:3000[\s\S]*npm start/)
})

test.each(['tool frobnicate', 'toolbox show', 'nonsense'])(
  'answers the wrong command line "%s" with its usage and exit code 64',
  async (line) => {
    const { code, err } = await agentopia(line)
    expect(code).toBe(64)
    expect(err).toContain('USAGE')
  },
)

test('stores the token for its owner alone, and reads it from standard input only', async () => {
  const { code } = await agentopia('login', { 'GET /api/me': me }, { input: 'tbx_pasted\n', signedIn: false })
  expect(code).toBe(0)
  const file = join(folder, '.config/agentopia/settings.json')
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ token: 'tbx_pasted' })
  expect((await stat(file)).mode & 0o777).toBe(0o600)
})

test('trades a sign-in link for a token of its own', async () => {
  const session = Response.json(me, { headers: { 'set-cookie': 'session=s1; HttpOnly; Path=/' } })
  const token = {
    id: 'token_0000000000000000',
    name: 'agentopia CLI',
    role: 'admin',
    hint: 'tbx_ab',
    createdAt: '2026-01-01T00:00:00.000Z',
  }
  const { heard } = await agentopia(
    'login',
    { 'POST /api/session/link': session, 'POST /api/tokens': { token, secret: 'tbx_made' }, 'GET /api/me': me },
    { input: 'http://localhost:3000/sign-in#link-token-of-some-length', signedIn: false },
  )
  expect(heard.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'POST /api/session/link',
    'POST /api/tokens',
    'GET /api/me',
  ])
  expect(heard[2]?.authorization).toBe('Bearer tbx_made')
})

test("shows control characters of strangers' text instead of obeying them", async () => {
  const hostile = {
    id: 'evil',
    title: 'a\u001b[31mred',
    summary: 'x',
    publisher: 'p',
    icon: 'x',
    categories: [],
    package: { type: 'npm', name: 'n', version: '1.0.0' },
    transport: 'stdio',
    egress: 'none',
    keepsState: false,
    profiles: [],
    config: [],
    secrets: [],
  }
  const { out } = await agentopia('catalog list', { 'GET /api/catalog': { items: [hostile] } })
  expect(out).toContain('a\\u001b[31mred')
})

test.each([[''], [' --json']])('a refusal moves no cursor either, whoever wrote its words%s', async (json) => {
  const { err } = await agentopia(`whoami${json}`, { 'GET /api/me': problemResponse('forbidden', EVIL) })
  expect(err).toContain('52;c;ZXZpbA==')
  expect(err).not.toMatch(OBEYED)
})

test('an invitation prints its link and nothing else, so that it can be piped', async () => {
  const link = 'http://localhost:3000/invitation#inv_canary'
  const at = '2026-11-27T00:00:00.000Z'
  const invitation = {
    id: 'invite_0000000000000000',
    email: 'guest@example.com',
    role: 'viewer',
    invitedBy: 'owner@localhost',
    createdAt: at,
    expiresAt: at,
  }
  const { code, out, heard } = await agentopia('member invite guest@example.com --role viewer', {
    'POST /api/invitations': { invitation, link },
  })
  expect([code, out.trim()]).toEqual([0, link])
  expect(heard[0]?.body).toEqual({ email: 'guest@example.com', role: 'viewer' })
  expect((await agentopia('member invite guest@example.com --role king')).code).toBe(1)
})

test('a person is named by address, and whoever is not there is said so', async () => {
  const person = {
    id: 'user_0000000000000000',
    email: 'guest@example.com',
    name: 'Guest',
    role: 'operator',
    joinedAt: '2026-11-27T00:00:00.000Z',
  }
  const people = { 'GET /api/members': { items: [person] } }
  const { heard } = await agentopia('member role Guest@example.com admin', {
    ...people,
    'PATCH /api/members/user_0000000000000000': { ...person, role: 'admin' },
  })
  expect(heard.at(-1)).toMatchObject({ method: 'PATCH', body: { role: 'admin' } })
  const nobody = await agentopia('member remove nobody@example.com', people)
  expect([nobody.code, nobody.err]).toEqual([1, expect.stringContaining('nobody@example.com')])
})

test('without a terminal the usage has no colours, and no spaces at the ends of its lines', async () => {
  const texts = [
    (await agentopia('--help')).out,
    (await agentopia('tool --help')).out,
    (await agentopia('tool frobnicate')).err,
  ]
  for (const text of texts) {
    expect(text).toContain('USAGE')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what must not be there
    expect(text).not.toMatch(/\u001b| $/m)
  }
})

test('a refused request is told field by field, each on a line', async () => {
  const detail = 'body.name: must be at most 63 characters long\nbody.config.url: must be an address (URL)'
  const { err } = await agentopia('agent create helper', {
    'POST /api/agents': problemResponse('invalid-request', detail),
  })
  expect(err).toContain(
    'contract:\n  name: must be at most 63 characters long\n  config.url: must be an address (URL)\n',
  )
})
