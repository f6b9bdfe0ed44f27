import { setTimeout as sleep } from 'node:timers/promises'
import { JoinLine, Toolbox } from '@agentopia/api'
import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type As,
  furnish,
  jsonOf,
  openTestControlPlane,
  signedIn,
  type TestControlPlane,
} from '../control-plane.testing.ts'
import { newId } from '../new-id.ts'
import { activities, instances, toolbeltItems, toolboxes } from '../store/schema/index.ts'
import { beatOf, newKey } from '../uplink/uplink.testing.ts'

let plane: TestControlPlane
beforeAll(async () => {
  plane = await openTestControlPlane()
})
afterAll(() => plane.close())

/** An operator of an account of his own. */
async function scene() {
  const accountId = `account_${newId('act').slice(4)}`
  const { userId, ...operator } = await signedIn(plane, accountId, 'operator')
  const create = (body: object, as: As = operator) => plane.send('POST', '/api/toolboxes', as, body)
  const made = async (name = 'server') => Toolbox.parse(await (await create({ provider: 'join', name })).json())
  const read = async (id: string) =>
    Toolbox.parse(await (await plane.request('GET', `/api/toolboxes/${id}`, operator)).json())
  const line = async (id: string) =>
    JoinLine.parse(await (await plane.request('POST', `/api/toolboxes/${id}/join-line`, operator)).json())
  return { accountId, userId, operator, create, made, read, line }
}

const tokenIn = ({ line }: JoinLine): string => /enrol_[\w-]+/.exec(line)![0]
const post = (path: string, body: unknown, token?: string) =>
  plane.send('POST', path, token ? { authorization: `Bearer ${token}` } : {}, body)

async function untilStatus(read: () => Promise<Toolbox>, status: Toolbox['status']): Promise<Toolbox> {
  const deadline = Date.now() + 10_000
  for (;;) {
    const seen = await read()
    if (seen.status === status || Date.now() > deadline) return seen
    await sleep(20)
  }
}

describe('a server of your own', () => {
  test('is asked for, joins with its line, and is active from its first heartbeat', async () => {
    const { made, read, line } = await scene()
    const asked = await made()
    expect(asked).toMatchObject({ status: 'provisioning', statusReason: expect.stringContaining('line') })
    const token = tokenIn(await line(asked.id))
    const enrolled = await post('/dtma/enrol', newKey()(asked.id, token))
    const { dtmaBearerToken } = (await enrolled.json()) as { dtmaBearerToken: string }
    expect((await read(asked.id)).status).toBe('awaiting_heartbeat')
    expect((await post('/dtma/heartbeat', beatOf('r', 1), dtmaBearerToken)).status).toBe(200)
    expect((await read(asked.id)).status).toBe('active')
  })

  test('a new line voids the earlier one', async () => {
    const { made, line } = await scene()
    const { id } = await made()
    const first = tokenIn(await line(id))
    await line(id)
    expect((await post('/dtma/enrol', newKey()(id, first))).status).toBe(401)
  })

  test('is let go with its credentials, its tools and its place in toolbelts; its history stays', async () => {
    const { accountId, userId, operator, read } = await scene()
    const { ids } = await furnish(plane.store, accountId, userId)
    const answer = await plane.request('DELETE', `/api/toolboxes/${ids.toolboxId}`, operator)
    expect([answer.status, Toolbox.parse(await answer.json()).id]).toEqual([202, ids.toolboxId])
    expect(await untilStatus(() => read(ids.toolboxId), 'deprovisioned')).toMatchObject({ status: 'deprovisioned' })
    await plane.store.system(async (tx) => {
      expect(await tx.select().from(instances).where(eq(instances.toolboxId, ids.toolboxId))).toEqual([])
      expect(await tx.select().from(toolbeltItems).where(eq(toolbeltItems.id, ids.toolbeltItemId))).toEqual([])
      const told = await tx.select().from(activities).where(eq(activities.toolboxId, ids.toolboxId))
      expect(told.map(({ action }) => action)).toEqual(['toolbox.removed', 'toolbox.deprovisioned'])
    })
    const listed = await plane.request('GET', '/api/toolboxes', operator)
    expect((await jsonOf(listed)).items).toEqual([])
    expect((await plane.request('DELETE', `/api/toolboxes/${ids.toolboxId}`, operator)).status).toBe(404)
  })

  test('its name is free again when it is gone', async () => {
    const { made, operator, read } = await scene()
    const { id } = await made('again')
    await plane.request('DELETE', `/api/toolboxes/${id}`, operator)
    await untilStatus(() => read(id), 'deprovisioned')
    expect((await made('again')).id).not.toBe(id)
  })
})

describe('asking', () => {
  test('P13 twenty clicks with one key make one toolbox; the key for another request is refused', async () => {
    const { accountId, create, operator } = await scene()
    const keyed = { ...operator, 'idempotency-key': newId('act') }
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => create({ provider: 'join', name: 'once' }, keyed)),
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]))
    const ids = await Promise.all(answers.map(async (answer) => Toolbox.parse(await answer.json()).id))
    expect(new Set(ids).size).toBe(1)
    const rows = await plane.store.system((tx) => tx.select().from(toolboxes).where(eq(toolboxes.accountId, accountId)))
    expect(rows).toHaveLength(1)
    const other = await create({ provider: 'join', name: 'twice' }, keyed)
    expect([other.status, (await jsonOf(other)).code]).toEqual([422, 'idempotency-key-reused'])
  })

  test('a name that is taken is said to be', async () => {
    const { create } = await scene()
    await create({ provider: 'join', name: 'alpha' })
    const second = await create({ provider: 'join', name: 'alpha' })
    expect([second.status, (await jsonOf(second)).code]).toEqual([409, 'name-taken'])
  })

  test('P16 an account that asks for ever more gets no more than its limit, also all at once', async () => {
    const { accountId, create } = await scene()
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, n) => create({ provider: 'join', name: `box-${n}` })),
    )
    const refused = answers.filter(({ status }) => status === 409)
    expect(answers.length - refused.length).toBe(20)
    expect((await jsonOf(refused[0]!)).code).toBe('toolbox-limit')
    const rows = await plane.store.system((tx) => tx.select().from(toolboxes).where(eq(toolboxes.accountId, accountId)))
    expect(rows).toHaveLength(20)
  })

  test('P16 all accounts together get no more than the limit of all, also all at once, and room that comes back is given', async () => {
    const small = await openTestControlPlane(undefined, {
      machines: { imageName: 'i', limits: { ofAccount: 4, ofAll: 5 }, digitalOceanUrl: 'http://digitalocean', fetch },
    })
    const [one, other] = await Promise.all(['account_one', 'account_two'].map((id) => signedIn(small, id, 'admin')))
    const ask = (name: string, as: As) => small.send('POST', '/api/toolboxes', as, { provider: 'join', name })
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, n) => ask(`box-${n}`, n % 2 === 0 ? one! : other!)),
    )
    const made = await Promise.all(
      answers.filter(({ status }) => status === 202).map(async (answer) => Toolbox.parse(await answer.json())),
    )
    expect(made).toHaveLength(5)
    const refused = await Promise.all(answers.filter(({ status }) => status === 409).map(jsonOf))
    expect(refused).toContainEqual(
      expect.objectContaining({ code: 'toolbox-limit-of-all', detail: 'All accounts together have 5 toolboxes' }),
    )
    // Each is bound to its own rows again, and sees no more than those.
    const seen = await Promise.all(
      [one!, other!].map(async (as) => {
        const page = await jsonOf(await small.request('GET', '/api/toolboxes', as))
        return (page.items as unknown as { id: string }[]).map(({ id }) => id)
      }),
    )
    expect(new Set(seen.flat())).toEqual(new Set(made.map(({ id }) => id)))
    expect(seen.flat()).toHaveLength(5)

    const [gone] = seen[0]!
    await small.request('DELETE', `/api/toolboxes/${gone}`, one!)
    const again = async () => (await ask('again', other!)).status
    await expect.poll(again, { timeout: 10_000 }).toBe(202)
    await small.close()
  })

  test('a droplet that could not reach the control plane is not asked for', async () => {
    const { create } = await scene()
    const answer = await create({ provider: 'digitalocean', name: 'd', region: 'nyc3', size: 's', image: 'i' })
    expect([answer.status, (await jsonOf(answer)).code]).toEqual([409, 'unreachable-control-plane'])
  })

  test('the direct road leads to public addresses, unless more is configured', async () => {
    const { create } = await scene()
    const to = (direct: object) => create({ provider: 'join', name: 'alpha', direct })
    for (const address of ['10.0.0.7', '127.0.0.1', '169.254.169.254', '0.0.0.0', '::1']) {
      const answer = await to({ address })
      expect([answer.status, (await jsonOf(answer)).code]).toEqual([409, 'direct-not-possible'])
    }
    const plain = await to({ address: '93.184.215.14', plainHttp: true })
    expect([plain.status, (await jsonOf(plain)).detail]).toEqual([409, expect.stringContaining('DIRECT_PLAIN_HTTP')])
    for (const wrong of [
      {},
      { address: 'http://x' },
      { address: 'A' },
      { address: 'a', port: 0 },
      { address: 'a', more: 1 },
    ])
      expect((await to(wrong)).status).toBe(400)
    const made = Toolbox.parse(await (await to({ address: '93.184.215.14' })).json())
    expect(made.direct).toEqual({ address: '93.184.215.14', port: 30_000, plainHttp: false })
  })

  test('only a server that joins by hand has a line, and only a failure can be tried again', async () => {
    const { accountId, operator, made } = await scene()
    const id = newId('toolbox')
    await plane.store.system((tx) =>
      tx.insert(toolboxes).values({ id, accountId, name: 'd', provider: 'local', status: 'active' }),
    )
    const line = await plane.request('POST', `/api/toolboxes/${id}/join-line`, operator)
    expect([line.status, (await jsonOf(line)).code]).toEqual([409, 'not-joinable'])
    const retry = await plane.request('POST', `/api/toolboxes/${(await made()).id}/retry`, operator)
    expect([retry.status, (await jsonOf(retry)).code]).toEqual([409, 'not-retryable'])
  })
})

describe('the stages of a boot', () => {
  test('are told with the token of the toolbox, and shown; a failure brings its log', async () => {
    const { made, line, read } = await scene()
    const { id } = await made()
    const token = tokenIn(await line(id))
    for (const [stage, state] of [
      ['docker', 'running'],
      ['docker', 'done'],
      ['image', 'failed'],
    ] as const)
      expect(
        (
          await post(
            '/dtma/boot',
            { toolboxId: id, stage, state, ...(state === 'failed' ? { log: 'no space left' } : {}) },
            token,
          )
        ).status,
      ).toBe(200)
    expect((await read(id)).boot).toMatchObject({
      stages: [
        { stage: 'docker', state: 'done' },
        { stage: 'image', state: 'failed' },
      ],
      log: 'no space left',
    })
    await post('/dtma/boot', { toolboxId: id, stage: 'docker', state: 'running' }, token)
    expect((await read(id)).boot).toEqual({ stages: [{ stage: 'docker', state: 'running', at: expect.any(String) }] })
  })

  test('E05 a token that was used tells nothing any more', async () => {
    const { made, line } = await scene()
    const { id } = await made()
    const token = tokenIn(await line(id))
    await post('/dtma/enrol', newKey()(id, token))
    for (const path of ['/dtma/boot', '/dtma/enrol'] as const) {
      const body = path === '/dtma/boot' ? { toolboxId: id, stage: 'docker', state: 'done' } : newKey()(id, token)
      const answer = await post(path, body, token)
      expect([path, answer.status, (await jsonOf(answer)).code]).toEqual([path, 401, 'enrolment-refused'])
    }
  })

  test('nobody tells of another toolbox, or without a token', async () => {
    const { made, line } = await scene()
    const token = tokenIn(await line((await made('mine')).id))
    const other = await made('other')
    const body = { toolboxId: other.id, stage: 'docker', state: 'done' }
    expect((await post('/dtma/boot', body, token)).status).toBe(401)
    expect((await post('/dtma/boot', body)).status).toBe(401)
  })
})

describe('E09 a toolbox in quarantine', () => {
  async function lockedOut(provider: 'join' | 'digitalocean' | 'local') {
    const { made, operator, accountId } = await scene()
    const { id } = await made()
    await plane.store.system((tx) =>
      tx.update(toolboxes).set({ provider, status: 'quarantined' }).where(eq(toolboxes.id, id)),
    )
    const post = async (verb: string) => plane.request('POST', `/api/toolboxes/${id}/${verb}`, operator)
    return { id, accountId, post }
  }

  test.each(['join', 'digitalocean'] as const)('of the provider %s has a line again', async (provider) => {
    const { post } = await lockedOut(provider)
    expect(JoinLine.parse(await (await post('join-line')).json()).line).toContain('enrol_')
    expect((await jsonOf(await post('retry'))).code).toBe('not-retryable')
  })

  test('that is this machine itself is enrolled anew by a click', async () => {
    const { post } = await lockedOut('local')
    expect((await jsonOf(await post('join-line'))).code).toBe('not-joinable')
    const retried = await post('retry')
    expect([retried.status, Toolbox.parse(await retried.json()).status]).toEqual([202, 'awaiting_heartbeat'])
  })
})
