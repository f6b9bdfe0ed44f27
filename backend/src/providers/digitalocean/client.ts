import * as z from 'zod'
import { Droplet, Firewall, Image, type NewDroplet, type NewFirewall, Region, Size } from './api.types.ts'
import type { Budget } from './budget.ts'
import { DigitalOceanError, type FailureKind } from './digitalocean-error.ts'

/** The calls of DigitalOcean's API that we use. There is none that deletes by tag. @throws {DigitalOceanError} */
export interface DigitalOcean {
  regions(signal: AbortSignal): Promise<z.infer<typeof Region>[]>
  sizes(signal: AbortSignal): Promise<z.infer<typeof Size>[]>
  images(signal: AbortSignal): Promise<z.infer<typeof Image>[]>
  /** All of them: every page. */
  dropletsByTag(tag: string, signal: AbortSignal): Promise<Droplet[]>
  droplet(id: number, signal: AbortSignal): Promise<Droplet | undefined>
  /** Not repeatable: after `unknown`, look before asking again. */
  createDroplet(wanted: NewDroplet, signal: AbortSignal): Promise<Droplet>
  /** Succeeds when there is none of that id. */
  destroyDroplet(id: number, signal: AbortSignal): Promise<void>
  ensureTag(name: string, signal: AbortSignal): Promise<void>
  firewallByName(name: string, signal: AbortSignal): Promise<Firewall | undefined>
  createFirewall(wanted: NewFirewall, signal: AbortSignal): Promise<void>
  replaceFirewall(id: string, wanted: NewFirewall, signal: AbortSignal): Promise<void>
  /** Sends a request that can do nothing, to learn whether the token may send it. */
  mayCall(method: 'GET' | 'POST' | 'DELETE', path: string, signal: AbortSignal): Promise<boolean>
}

export interface DigitalOceanDeps {
  /** Without a trailing slash. */
  readonly baseUrl: string
  readonly token: string
  readonly budget: Budget
  readonly fetch: typeof fetch
}

const DEADLINE_MS = 15_000
const PER_PAGE = 200
const MOST_PAGES = 50
const LIMITED_MS = 30_000

const Page = z.object({ links: z.object({ pages: z.object({ next: z.string().optional() }).optional() }).optional() })

export function createDigitalOcean({ baseUrl, token, budget, fetch }: DigitalOceanDeps): DigitalOcean {
  /** @returns the answer, whatever its status. */
  async function send(method: string, path: string, signal: AbortSignal, body?: object) {
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
      return { status: response.status, headers: response.headers, text: await response.text() }
    } catch (cause) {
      if (signal.aborted) throw signal.reason
      const why = deadline.aborted ? `did not answer within ${DEADLINE_MS / 1_000} s` : 'cannot be reached'
      throw new DigitalOceanError('unknown', `DigitalOcean ${why} (${method} ${path.split('?')[0]})`, { cause })
    }
  }

  async function call<T>(
    method: string,
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
    regions: (signal) => all('/regions', 'regions', Region, signal),
    sizes: (signal) => all('/sizes', 'sizes', Size, signal),
    images: (signal) => all('/images?type=distribution', 'images', Image, signal),
    dropletsByTag: (tag, signal) => all(`/droplets?tag_name=${encodeURIComponent(tag)}`, 'droplets', Droplet, signal),
    async droplet(id, signal) {
      const { status, headers, text } = await send('GET', `/droplets/${id}`, signal)
      if (status === 404) return undefined
      if (status !== 200) throw failureOf(status, headers, text, budget)
      return parsed(text, z.object({ droplet: Droplet })).droplet
    },
    createDroplet: async (wanted, signal) =>
      (await call('POST', '/droplets', z.object({ droplet: Droplet }), signal, wanted)).droplet,
    async destroyDroplet(id, signal) {
      const { status, headers, text } = await send('DELETE', `/droplets/${id}`, signal)
      if (status !== 204 && status !== 404) throw failureOf(status, headers, text, budget)
    },
    async ensureTag(name, signal) {
      const { status, headers, text } = await send('POST', '/tags', signal, { name })
      // 422: there is one of that name already.
      if (status !== 201 && status !== 422) throw failureOf(status, headers, text, budget)
    },
    firewallByName: async (name, signal) =>
      (await all('/firewalls', 'firewalls', Firewall, signal)).find((firewall) => firewall.name === name),
    async createFirewall(wanted, signal) {
      const { status, headers, text } = await send('POST', '/firewalls', signal, wanted)
      // 409: made meanwhile by another replica.
      if (status !== 202 && status !== 409) throw failureOf(status, headers, text, budget)
    },
    async replaceFirewall(id, wanted, signal) {
      const { status, headers, text } = await send('PUT', `/firewalls/${encodeURIComponent(id)}`, signal, wanted)
      if (status !== 200) throw failureOf(status, headers, text, budget)
    },
    async mayCall(method, path, signal) {
      const { status, headers, text } = await send(method, path, signal, method === 'POST' ? {} : undefined)
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
