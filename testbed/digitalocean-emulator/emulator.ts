import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import { act, actionOf, actionsOf, actionView, settleActions } from './actions.ts'
import { ApiError, notFound, unprocessable } from './api-error.ts'
import { IMAGES, REGIONS, SIZES } from './catalogue.ts'
import { createDroplet, destroyDroplet, dropletOf, listed, parse, viewOf } from './droplets.ts'
import { createFirewall, guardsOf, replaceFirewall } from './firewalls.ts'
import { type Machines, noMachines } from './machines.ts'
import { changeReservedIp, releaseIp, reservedIpView, reserveIp } from './reserved-ips.ts'
import { deleteSnapshot, snapshotView } from './snapshots.ts'
import { DEFAULT_KNOBS, type Fault, type Knobs, type Team, type World } from './world.ts'

export interface EmulatorOptions {
  readonly token?: string
  readonly team?: Team
  /** Milliseconds since the epoch. */
  readonly now?: () => number
  readonly machines?: Machines
  readonly knobs?: Partial<Knobs>
}

/** An account at DigitalOcean: its API, and all that is in it. */
export interface Emulator {
  readonly world: World
  readonly knobs: Knobs
  /** The API, without a network. Rejects when the connection is cut. */
  readonly fetch: typeof fetch
  /** Lets the next calls go wrong. */
  fail(fault: Omit<Fault, 'times'> & { readonly times?: number }): void
}

const TOKEN = 'dop_v1_emulated_0123456789abcdef'
const TEAM: Team = { uuid: '5df3e3004a17e242b7c20ca6c9fc25b701a47ece', name: 'My Team' }
const FIRST_DROPLET = 3_164_000
const FIRST_ACTION = 36_077_000

export function createEmulator(options: EmulatorOptions = {}): Emulator {
  const { token = TOKEN, team = TEAM, now = Date.now, machines = noMachines, knobs = {} } = options
  const world: World = {
    token,
    team,
    now,
    machines,
    knobs: { ...DEFAULT_KNOBS, ...knobs, faults: [...(knobs.faults ?? [])] },
    droplets: new Map(),
    tags: new Set(),
    firewalls: new Map(),
    actions: [],
    snapshots: new Map(),
    reservedIps: new Map(),
    calls: [],
    callTimes: [],
    guarded: '[]',
    nextDropletId: FIRST_DROPLET,
    nextId: FIRST_ACTION,
  }
  return {
    world,
    knobs: world.knobs,
    fail: (fault) => void world.knobs.faults.push({ times: 1, ...fault }),
    fetch: async (input, init) => {
      const request = new Request(input, init)
      const { signal } = request
      signal.throwIfAborted()
      const answer = await new Promise<Response>((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
        handle(world, request).then(resolve, reject)
      })
      for (const [name, value] of Object.entries(ratesOf(world))) answer.headers.set(name, String(value))
      return answer
    },
  }
}

async function handle(world: World, request: Request): Promise<Response> {
  const { pathname } = new URL(request.url)
  world.calls.push(`${request.method} ${pathname}`)
  settleActions(world)
  try {
    admit(world, request, pathname)
    const fault = nextFault(world, request.method, pathname)
    if (fault && !fault.afterEffect) return await goWrong(fault)
    const answer = await route(world, request)
    await guard(world)
    return fault ? await goWrong(fault) : answer
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return Response.json(
      { id: error.id, message: error.message, request_id: randomUUID() },
      { status: error.status, headers: error.headers },
    )
  }
}

/** Tells the machines what their firewalls let in, when that has changed. */
async function guard(world: World): Promise<void> {
  const guards = guardsOf(world)
  const text = JSON.stringify(guards)
  if (text === world.guarded) return
  world.guarded = text
  await world.machines.guard(guards)
}

function admit(world: World, request: Request, pathname: string): void {
  const { knobs, callTimes } = world
  if (request.headers.get('authorization') !== `Bearer ${world.token}`)
    throw new ApiError(401, 'unauthorized', 'Unable to authenticate you.')
  const scope = scopeOf(request.method, pathname)
  if (knobs.scopes !== 'all' && !knobs.scopes.has(scope))
    throw new ApiError(403, 'forbidden', 'You are not authorized to perform this operation')
  const now = world.now()
  const within = (ms: number) => callTimes.filter((time) => time > now - ms).length
  if (within(3_600_000) >= knobs.perHour) throw new ApiError(429, 'too_many_requests', 'API rate limit exceeded.')
  if (within(60_000) >= knobs.perMinute)
    throw new ApiError(429, 'too_many_requests', 'API rate limit exceeded.', { 'retry-after': '10' })
  callTimes.push(now)
}

/** What every answer says of the calls that are left in this hour, to whoever made the others. */
function ratesOf({ knobs, callTimes, now }: World): Readonly<Record<string, number>> {
  const counted = callTimes.filter((time) => time > now() - 3_600_000)
  return {
    'ratelimit-limit': knobs.perHour,
    'ratelimit-remaining': Math.max(0, knobs.perHour - counted.length),
    'ratelimit-reset': Math.ceil(((counted[0] ?? now()) + 3_600_000) / 1_000),
  }
}

const NOUNS: Readonly<Record<string, string>> = {
  account: 'account',
  regions: 'regions',
  sizes: 'sizes',
  images: 'image',
  droplets: 'droplet',
  tags: 'tag',
  firewalls: 'firewall',
  snapshots: 'snapshot',
  reserved_ips: 'reserved_ip',
}
const VERBS: Readonly<Record<string, string>> = { GET: 'read', POST: 'create', DELETE: 'delete', PUT: 'update' }

/** The right that a call needs, as DigitalOcean names it. */
function scopeOf(method: string, pathname: string): string {
  const noun = NOUNS[pathname.split('/')[2] ?? ''] ?? 'unknown'
  return `${noun}:${pathname.endsWith('/actions') && method === 'POST' ? 'update' : VERBS[method]}`
}

function nextFault({ knobs }: World, method: string, pathname: string): Fault | undefined {
  const fault = knobs.faults.find((one) => one.times > 0 && one.method === method && one.path.test(pathname))
  if (fault) fault.times -= 1
  return fault
}

async function goWrong({ answer, retryAfterSeconds, message }: Fault): Promise<Response> {
  if (answer === 'hang') return new Promise(() => {})
  if (answer === 'drop') throw new TypeError('fetch failed', { cause: new Error('ECONNRESET') })
  const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
  const id = answer === 429 ? 'too_many_requests' : 'server_error'
  return Response.json({ id, message: message ?? 'Unexpected server-side error' }, { status: answer, headers })
}

const NewTag = z.strictObject({ name: z.string().regex(/^[\w:-]{1,255}$/) })
const Tagging = z.strictObject({
  resources: z.array(z.strictObject({ resource_id: z.string(), resource_type: z.literal('droplet') })).min(1),
})

async function route(world: World, request: Request): Promise<Response> {
  const url = new URL(request.url)
  const [, version, noun, id, verb, last, ...rest] = url.pathname.split('/')
  if (version !== 'v2' || rest.length > 0) throw notFound()
  const body = async () => jsonOf(await request.text())
  const list = (items: readonly unknown[]) => Response.json(pageOf(url, noun!, items))
  const path = [noun, id && ':id', verb, last && ':action'].filter((part) => part !== undefined).join('/')
  switch (`${request.method} ${path}`) {
    case 'GET account':
      return Response.json({
        account: {
          droplet_limit: world.knobs.dropletLimit,
          floating_ip_limit: 3,
          email: 'test@example.com',
          email_verified: true,
          uuid: 'b6fr89dbf6d9156cace5f3c78dc9851d957381ef',
          status: 'active',
          status_message: '',
          team: world.team,
        },
      })
    case 'GET regions':
      return list(REGIONS)
    case 'GET sizes':
      return list(SIZES)
    case 'GET images':
      return list(IMAGES)
    case 'GET droplets': {
      const tag = url.searchParams.get('tag_name')
      const found = listed(world).filter(({ tags }) => tag === null || tags.includes(tag))
      return list(found.map((droplet) => viewOf(world, droplet)))
    }
    case 'POST droplets': {
      const droplet = createDroplet(world, await body())
      return Response.json({ droplet: viewOf(world, droplet), links: { actions: [] } }, { status: 202 })
    }
    case 'GET droplets/:id':
      return Response.json({ droplet: viewOf(world, dropletOf(world, id!)) })
    case 'DELETE droplets/:id':
      await destroyDroplet(world, dropletOf(world, id!))
      return new Response(null, { status: 204 })
    case 'GET droplets/:id/actions': {
      const { id: dropletId } = dropletOf(world, id!)
      return Response.json(
        pageOf(
          url,
          'actions',
          actionsOf(world, dropletId).map((action) => actionView(world, action)),
        ),
      )
    }
    case 'POST droplets/:id/actions': {
      const action = act(world, dropletOf(world, id!), await body())
      return Response.json({ action: actionView(world, action) }, { status: 201 })
    }
    case 'GET droplets/:id/actions/:action':
      return Response.json({ action: actionView(world, actionOf(world, dropletOf(world, id!).id, last!)) })
    case 'GET snapshots':
      return list([...world.snapshots.values()].map(snapshotView))
    case 'DELETE snapshots/:id':
      await deleteSnapshot(world, id!)
      return new Response(null, { status: 204 })
    case 'GET reserved_ips':
      return list([...world.reservedIps.keys()].map((ip) => reservedIpView(world, ip)))
    case 'POST reserved_ips': {
      const ip = reserveIp(world, await body())
      const links = { droplets: [], actions: [] }
      return Response.json({ reserved_ip: reservedIpView(world, ip), links }, { status: 202 })
    }
    case 'POST reserved_ips/:id/actions':
      return Response.json({ action: changeReservedIp(world, id!, await body()) }, { status: 201 })
    case 'DELETE reserved_ips/:id':
      releaseIp(world, id!)
      return new Response(null, { status: 204 })
    case 'POST tags/:id/resources': {
      const { resources } = parse(Tagging, await body())
      if (!world.tags.has(id!)) throw notFound()
      for (const { resource_id } of resources) {
        const droplet = dropletOf(world, resource_id)
        droplet.tags = [...new Set([...droplet.tags, id!])]
      }
      return new Response(null, { status: 204 })
    }
    case 'DELETE tags/:id/resources': {
      const { resources } = parse(Tagging, await body())
      if (!world.tags.has(id!)) throw notFound()
      for (const { resource_id } of resources) {
        const droplet = dropletOf(world, resource_id)
        droplet.tags = droplet.tags.filter((tag) => tag !== id)
      }
      return new Response(null, { status: 204 })
    }
    case 'DELETE tags/:id':
      if (!world.tags.delete(id!)) throw notFound()
      for (const droplet of world.droplets.values()) droplet.tags = droplet.tags.filter((tag) => tag !== id)
      return new Response(null, { status: 204 })
    case 'POST tags': {
      const { name } = parse(NewTag, await body())
      world.tags.add(name)
      return Response.json({ tag: { name } }, { status: 201 })
    }
    case 'GET firewalls':
      return list([...world.firewalls.values()])
    case 'POST firewalls':
      return Response.json({ firewall: createFirewall(world, await body()) }, { status: 202 })
    case 'PUT firewalls/:id':
      return Response.json({ firewall: replaceFirewall(world, id!, await body()) })
    default:
      throw notFound() // also for DELETE /v2/droplets?tag_name=…: nothing of ours may use it
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text || '{}')
  } catch {
    throw new ApiError(400, 'bad_request', 'Invalid JSON.')
  }
}

const QUERIES = ['page', 'resource_type', 'per_page', 'tag_name', 'type', 'private', 'name']

function pageOf(url: URL, key: string, items: readonly unknown[]) {
  for (const name of url.searchParams.keys())
    if (!QUERIES.includes(name)) throw unprocessable(`${name} is no parameter`)
  const perPage = Math.min(200, Number(url.searchParams.get('per_page') ?? 20))
  const page = Number(url.searchParams.get('page') ?? 1)
  const last = Math.max(1, Math.ceil(items.length / perPage))
  const next = new URL(url)
  next.searchParams.set('page', String(page + 1))
  return {
    [key]: items.slice((page - 1) * perPage, page * perPage),
    links: page < last ? { pages: { next: next.href } } : {},
    meta: { total: items.length },
  }
}
