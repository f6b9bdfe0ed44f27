import { API_DESCRIPTION, judgeBy } from '@agentopia/testbed/description'
import { createEmulator } from '@agentopia/testbed/emulator'
import { expect, test } from 'vitest'
import { createBudget } from './budget.ts'
import { createDigitalOcean, type DigitalOcean } from './client.ts'
import { askEverything } from './every-call.testing.ts'

// What our client asks, and what the emulator of all other tests answers, against DigitalOcean's own description of its API.

const signal = AbortSignal.timeout(60_000)

/** Asks everything. @param amend Changes what the emulator answers. */
async function judged(amend: (answer: Response, url: string) => Response | Promise<Response> = (answer) => answer) {
  let now = Date.UTC(2026, 0, 1)
  const emulator = createEmulator({ now: () => now, knobs: { bootMs: 0, perMinute: 10_000 } })
  const judge = judgeBy(API_DESCRIPTION, async (input, init) => {
    const request = new Request(input, init)
    return amend(await emulator.fetch(request), request.url)
  })
  const budget = createBudget(() => now, { perMinute: 10_000 })
  const client = createDigitalOcean({
    baseUrl: 'http://digitalocean',
    token: emulator.world.token,
    budget,
    fetch: judge.fetch,
  })
  const used = new Set<string>()
  const watched = new Proxy(client, {
    get: (target, name: keyof DigitalOcean) => {
      used.add(name)
      return target[name]
    },
  })
  await askEverything(
    watched,
    () => {
      now += 60_000
    },
    signal,
  )
  return { judge, unused: Object.keys(client).filter((name) => !used.has(name)) }
}

test('everything that the client can ask is described, and so is everything that the emulator answers', async () => {
  const { judge, unused } = await judged()
  expect(judge.complaints).toEqual([])
  expect(unused).toEqual([])
  const described = Object.entries(API_DESCRIPTION.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  expect([...judge.called.keys()].sort()).toEqual(described.sort())
})

test('an answer of another form is noticed, also in what the client does not read', async () => {
  const { judge } = await judged(async (answer, url) => {
    if (!url.includes('/sizes')) return answer
    const { sizes, ...rest } = (await answer.json()) as { sizes: object[] }
    return Response.json({ ...rest, sizes: sizes.map((size) => ({ ...size, transfer: 'much' })) })
  })
  expect(new Set(judge.complaints.map(({ call }) => call))).toEqual(new Set(['GET /v2/sizes']))
})
