import * as z from 'zod'
import type { Budget } from './budget.ts'
import { DigitalOceanError, type FailureKind } from './digitalocean-error.ts'

export interface DigitalOceanDeps {
  /** Without a trailing slash. */
  readonly baseUrl: string
  readonly token: string
  readonly budget: Budget
  readonly fetch: typeof fetch
}

/** How DigitalOcean is called. @throws {DigitalOceanError} */
export interface Calls {
  /** @returns what a 2xx answer holds. */
  call<T>(method: Method, path: string, schema: z.ZodType<T>, signal: AbortSignal, body?: object): Promise<T>
  /** Every page of a list; `name` is the member that holds the items. */
  all<T>(path: string, name: string, item: z.ZodType<T>, signal: AbortSignal): Promise<T[]>
  /** `undefined` when there is none (404). */
  find<T>(path: string, schema: z.ZodType<T>, signal: AbortSignal): Promise<T | undefined>
  /** Succeeds when the answer has one of these states. */
  expect(method: Method, path: string, statuses: readonly number[], signal: AbortSignal, body?: object): Promise<void>
  /** Sends a request that can do nothing, to learn whether the token may send it. */
  mayCall(method: Method, path: string, signal: AbortSignal): Promise<boolean>
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

const DEADLINE_MS = 15_000
const PER_PAGE = 200
const MOST_PAGES = 50
const LIMITED_MS = 30_000

const Page = z.object({ links: z.object({ pages: z.object({ next: z.string().optional() }).optional() }).optional() })

export function createCalls({ baseUrl, token, budget, fetch }: DigitalOceanDeps): Calls {
  /** @returns the answer, whatever its status. */
  async function send(method: Method, path: string, signal: AbortSignal, body?: object) {
    const wait = budget.take()
    if (wait > 0)
      throw new DigitalOceanError('limited', 'Our own limit for calls of DigitalOcean is reached', {
        retryAfterMs: wait,
      })
    const deadline = AbortSignal.timeout(DEADLINE_MS)
    try {
      const response = await fetch(`${baseUrl}/v2${path}`, {
        method,
        redirect: 'error',
        signal: AbortSignal.any([signal, deadline]),
        headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
        ...(body ? { body: JSON.stringify(body) } : {}),
      })
      hearLeft(response.headers, budget)
      return { status: response.status, headers: response.headers, text: await response.text() }
    } catch (cause) {
      if (signal.aborted) throw signal.reason
      const why = deadline.aborted ? `did not answer within ${DEADLINE_MS / 1_000} s` : 'cannot be reached'
      throw new DigitalOceanError('unknown', `DigitalOcean ${why} (${method} ${path.split('?')[0]})`, { cause })
    }
  }

  async function call<T>(
    method: Method,
    path: string,
    schema: z.ZodType<T>,
    signal: AbortSignal,
    body?: object,
  ): Promise<T> {
    const { status, headers, text } = await send(method, path, signal, body)
    if (status >= 200 && status < 300) return parsed(text, schema)
    throw failureOf(status, headers, text, budget)
  }

  async function all<T>(path: string, name: string, item: z.ZodType<T>, signal: AbortSignal): Promise<T[]> {
    const schema = z.intersection(z.object({ [name]: z.array(item) }), Page)
    const items: T[] = []
    for (let page = 1; page <= MOST_PAGES; page += 1) {
      const separator = path.includes('?') ? '&' : '?'
      const answer = await call('GET', `${path}${separator}per_page=${PER_PAGE}&page=${page}`, schema, signal)
      items.push(...(answer as unknown as Record<string, T[]>)[name]!)
      if (answer.links?.pages?.next === undefined) return items
    }
    throw new DigitalOceanError('unknown', `DigitalOcean has more than ${MOST_PAGES * PER_PAGE} ${name}`)
  }

  return {
    call,
    all,
    async find(path, schema, signal) {
      const { status, headers, text } = await send('GET', path, signal)
      if (status === 404) return undefined
      if (status !== 200) throw failureOf(status, headers, text, budget)
      return parsed(text, schema)
    },
    async expect(method, path, statuses, signal, body) {
      const { status, headers, text } = await send(method, path, signal, body)
      if (!statuses.includes(status)) throw failureOf(status, headers, text, budget)
    },
    async mayCall(method, path, signal) {
      const { status, headers, text } = await send(
        method,
        path,
        signal,
        method === 'POST' || method === 'PUT' ? {} : undefined,
      )
      if (status === 403) return false
      if (status === 401 || status === 429 || status >= 500) throw failureOf(status, headers, text, budget)
      return true
    },
  }
}

function parsed<T>(text: string, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(text))
  } catch (cause) {
    throw new DigitalOceanError('unknown', 'DigitalOcean answered what cannot be read', { cause })
  }
}

const KINDS: Readonly<Record<number, FailureKind>> = { 401: 'unauthorized', 403: 'forbidden', 429: 'limited' }

function failureOf(status: number, headers: Headers, text: string, budget: Budget): DigitalOceanError {
  const kind = KINDS[status] ?? (status >= 500 || status === 408 ? 'unknown' : 'refused')
  const retryAfterMs = kind === 'limited' ? waitOf(headers) : 0
  if (retryAfterMs > 0) budget.pause(retryAfterMs)
  return new DigitalOceanError(kind, `DigitalOcean answered: ${messageOf(text)} (HTTP ${status})`, { retryAfterMs })
}

/** The calls that are left to all who use the token. Not every answer says it. */
function hearLeft(headers: Headers, budget: Budget): void {
  const [left, of] = [headers.get('ratelimit-remaining'), headers.get('ratelimit-limit')]
  if (left !== null && of !== null && Number(of) > 0 && Number(left) >= 0) budget.hear(Number(left), Number(of))
}

/** Not every 429 says when to come again. */
function waitOf(headers: Headers): number {
  const seconds = Number(headers.get('retry-after'))
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 3_600) * 1_000 : LIMITED_MS
}

function messageOf(text: string): string {
  const body = z.object({ message: z.string() }).safeParse(safeJson(text))
  return (body.success ? body.data.message : text.trim() || 'nothing').slice(0, 300)
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // an edge in between answers in plain text
  }
}
