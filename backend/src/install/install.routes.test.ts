import { Readable } from 'node:stream'
import { Hono } from 'hono'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { noBodyToHead } from '../http/guard.ts'
import { problemResponse } from '../http/problem-response.ts'
import type { DtmaImage } from './dtma-image.ts'
import { installRoutes } from './install.routes.ts'
import { createInstaller } from './installer.ts'

const ID = `sha256:${'a'.repeat(64)}`
const AT_ONCE = 8

/** An image of which each reader takes as much as it wants, and what is open of it. */
function setUp() {
  const open = new Set<Readable>()
  const image: DtmaImage = {
    name: 'agentopia-dtma:latest',
    id: async () => ID,
    version: async () => '1.0.0',
    exported: async () => undefined,
    prepare: async () => undefined,
    open: async () => {
      const body = new Readable({ read: () => undefined })
      open.add(body.once('close', () => open.delete(body)))
      body.push(Buffer.from('the image'))
      return { size: 9, body }
    },
  }
  const log = pino({ level: 'silent' })
  const app = new Hono()
  app.onError(problemResponse(log))
  app.use(noBodyToHead)
  const installer = createInstaller({ publicUrl: 'http://localhost:3000', image, imageName: image.name, log })
  installRoutes(app, { installer, image })
  return { open, ask: (method: string) => app.request(`/dtma/image/${ID}`, { method }) }
}

test('whoever only asks whether there is an image takes nobody’s place, and leaves no file open', async () => {
  const { ask, open } = setUp()
  for (let n = 0; n < 3 * AT_ONCE; n += 1) expect((await ask('HEAD')).status).toBe(200)
  expect(open.size).toBe(0)
  expect((await ask('GET')).status).toBe(200)
})

test('so many machines fetch the image at once; the next is told when to come again, and has the place of who leaves', async () => {
  const { ask } = setUp()
  const fetching = await Promise.all(Array.from({ length: AT_ONCE }, () => ask('GET')))
  expect(fetching.map(({ status }) => status)).toEqual(Array.from({ length: AT_ONCE }, () => 200))
  const next = await ask('GET')
  expect([next.status, next.headers.get('retry-after')]).toEqual([429, '5'])
  await fetching[0]!.body!.cancel()
  expect((await ask('GET')).status).toBe(200)
})
