import { readFileSync } from 'node:fs'
import { OPERATIONS, PROBLEMS, ProblemDocument, type UserOperation } from '@agentopia/api'
import fc, { type Arbitrary } from 'fast-check'
import { expect, test } from 'vitest'
import { safeParse } from 'zod/v4/core'
import { FIRST_ACCOUNT, FIRST_USER } from '../accounts/first-account.ts'
import {
  type As,
  browserOf,
  furnish,
  NOBODY,
  openTestControlPlane,
  type TestControlPlane,
} from '../control-plane.testing.ts'
import { arbitraryOf, broken, type JsonSchema, nonsense } from './schema-arbitrary.testing.ts'

// Requests made from the printed description of the API: such as it allows, and such as are wrong in one place.

/** In every run of the tests; `FUZZ_REQUESTS=100000` sends as many as the case asks for. */
const REQUESTS = Number(process.env['FUZZ_REQUESTS'] ?? 1_000)
const PER_PLANE = 1_000
const LONGEST_MS = 60_000 + REQUESTS * 200

interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly schema: JsonSchema
}

interface Described {
  readonly operationId: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: JsonSchema } } }
  readonly responses: Readonly<Record<string, unknown>>
}

interface Sent {
  readonly id: string
  readonly method: string
  readonly responses: Readonly<Record<string, unknown>>
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
  readonly as: Who
}

const WHO = ['owner', 'agent', 'nobody', 'forged'] as const
type Who = (typeof WHO)[number]

const document = JSON.parse(readFileSync(new URL('../../../docs/openapi.json', import.meta.url), 'utf8')) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>
}

let plane: TestControlPlane
let callers: Record<Who, As>
let known: readonly string[]
const answered = new Map<number, number>()
const sentTo = new Map<string, number>()

/** A control plane with one of everything; what is removed in one is there again in the next. */
async function openPlane(): Promise<void> {
  plane = await openTestControlPlane()
  const { ids, agent } = await furnish(plane.store, FIRST_ACCOUNT, FIRST_USER)
  known = Object.values(ids)
  callers = {
    owner: await browserOf(plane, FIRST_USER),
    agent,
    nobody: NOBODY,
    forged: { authorization: `Bearer agt_${'A'.repeat(43)}` },
  }
}

test(
  `T11 of requests made from the description of the API, right ones and wrong ones, each gets an answer that it describes`,
  async () => {
    for (let left = REQUESTS; left > 0; left -= PER_PLANE) {
      await openPlane()
      try {
        const numRuns = Math.min(left, PER_PLANE)
        await fc.assert(fc.asyncProperty(request(), check), { numRuns, endOnFailure: true })
      } finally {
        await plane.close()
      }
    }
    const described = Object.values(document.paths).flatMap((methods) => Object.values(methods))
    expect(described.map(({ operationId }) => operationId)).toEqual(
      expect.arrayContaining(OPERATIONS.map(({ id }) => id)),
    )
    // By far not all were refused at the door, and of many requests each operation had some.
    if (REQUESTS >= 5_000)
      expect([...sentTo.keys()].sort()).toEqual(described.map(({ operationId }) => operationId).sort())
    expect(answered.get(200) ?? 0).toBeGreaterThan(REQUESTS / 100)
    console.info(
      `${REQUESTS} requests: ${[...answered]
        .sort()
        .map(([status, times]) => `${status} × ${times}`)
        .join(', ')}`,
    )
  },
  LONGEST_MS,
)

/** One request to any operation, by anybody. */
function request(): Arbitrary<Sent> {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => requestFor(path, method.toUpperCase(), described)),
  )
  return fc.constantFrom(...operations).chain((one) => one)
}

function requestFor(path: string, method: string, described: Described): Arbitrary<Sent> {
  const { parameters = [], requestBody, responses } = described
  const schema = requestBody?.content['application/json']?.schema
  const right = schema ? arbitraryOf(schema, known) : fc.constant(undefined)
  return fc
    .record({
      values: fc.tuple(...parameters.map((parameter) => anyFor(parameter))),
      given: fc.tuple(...parameters.map(() => fc.boolean())),
      body: schema ? fc.oneof(right, right.chain(broken)) : right,
      written: fc.constantFrom('json', 'json', 'json', 'json', 'text', 'cut'),
      as: fc.oneof({ weight: 6, arbitrary: fc.constant<Who>('owner') }, fc.constantFrom(...WHO)),
      more: fc.constantFrom<Record<string, string>>(
        {},
        {},
        { 'last-event-id': 'x' },
        { 'idempotency-key': 'k' },
        { 'idempotency-key': 'k'.repeat(300) },
        { cookie: 'a=b' },
      ),
    })
    .map(({ values, given, body, written, as, more }) => {
      const named = parameters.map((parameter, place) => [parameter, String(values[place])] as const)
      const filled = named.reduce(
        (so, [{ name, in: where }, value]) =>
          where === 'path' ? so.replace(`{${name}}`, encodeURIComponent(value).replaceAll('.', '%2E')) : so,
        path,
      )
      const asked = named.filter(([{ in: where }], place) => where === 'query' && given[place])
      const query = new URLSearchParams(asked.map(([{ name }, value]): [string, string] => [name, value]))
      const text = body === undefined ? undefined : JSON.stringify(body)
      return {
        id: described.operationId,
        method,
        responses,
        path: query.size === 0 ? filled : `${filled}?${query}`,
        headers: { ...(written === 'text' ? {} : { 'content-type': 'application/json' }), ...more },
        body: written === 'cut' ? text?.slice(0, -1) : text,
        as,
      }
    })
}

/** Mostly what the parameter allows, else anything that can stand in an address. */
const anyFor = ({ schema }: Parameter): Arbitrary<unknown> =>
  fc.oneof(
    { weight: 4, arbitrary: arbitraryOf(schema, known) },
    nonsense.map((value) =>
      typeof value === 'string' ? value.toWellFormed().slice(0, 500) || 'x' : JSON.stringify(value),
    ),
  )

async function check({ id, method, responses, path, headers, body, as }: Sent): Promise<void> {
  const { cookie } = headers
  const who =
    cookie === undefined ? callers[as] : { ...callers[as], cookie: `${callers[as]['cookie'] ?? ''}; ${cookie}` }
  const answer = await plane.request(method, path, who, {
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'cookie')),
    ...(body === undefined ? {} : { body }),
  })
  answered.set(answer.status, (answered.get(answer.status) ?? 0) + 1)
  sentTo.set(id, (sentTo.get(id) ?? 0) + 1)
  const type = answer.headers.get('content-type')?.split(';')[0]
  if (type === 'text/event-stream') return answer.body?.cancel()
  const text = await answer.text()
  if (answer.status === 200 && as === 'owner' && ENDS_SESSIONS.has(id))
    callers.owner = await browserOf(plane, FIRST_USER)
  if (answer.status === 204 && as === 'owner') callers.owner = await browserOf(plane, FIRST_USER)

  const about = `${method} ${path} as ${as} with ${body?.slice(0, 2_000)}\n${answer.status} ${text.slice(0, 2_000)}`
  expect(text, about).not.toMatch(/\n\s+at .+:\d+:\d+|node_modules|select .+ from |insert into /)
  if (answer.status >= 400) {
    expect(type, about).toBe('application/problem+json')
    const problem = ProblemDocument.parse(JSON.parse(text))
    expect(problem.code, about).not.toBe('internal')
    expect(PROBLEMS, about).toHaveProperty([problem.code])
    expect(Object.keys(responses), about).toContain(String(answer.status))
    return
  }
  expect(Object.keys(responses), about).toContain(String(answer.status))
  const { reply } = (OPERATIONS.find((op) => op.id === id) ?? {}) as Partial<UserOperation>
  if (reply) expect(safeParse(reply, JSON.parse(text)).error, about).toBeUndefined()
}

/** After these the cookie that was sent may be worth nothing. */
const ENDS_SESSIONS: ReadonlySet<string> = new Set(['setPassword', 'signOut', 'changeMemberRole', 'removeMember'])
