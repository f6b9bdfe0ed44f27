import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Hono } from 'hono'
import { afterAll, expect, test } from 'vitest'
import { servePage } from './page.ts'

const folder = mkdtempSync(join(tmpdir(), 'agentopia-page-'))
afterAll(() => rmSync(folder, { recursive: true }))
mkdirSync(join(folder, 'page/assets'), { recursive: true })
writeFileSync(join(folder, 'page/index.html'), '<title>page</title>')
writeFileSync(join(folder, 'page/assets/app-3f9c.js'), 'run()')
writeFileSync(join(folder, 'secret.txt'), 'secret')

const app = new Hono().get('*', servePage(join(folder, 'page')))
const get = async (path: string) => {
  const answer = await app.request(path)
  return {
    status: answer.status,
    type: answer.headers.get('content-type'),
    cache: answer.headers.get('cache-control'),
    text: await answer.text(),
  }
}

test.each(['/', '/index.html', '/sign-in', '/toolboxes/toolbox_1/tools', '/agents/'])(
  '%s is the page, asked for anew each time',
  async (path) => {
    expect(await get(path)).toMatchObject({
      status: 200,
      type: 'text/html; charset=utf-8',
      cache: 'no-cache',
      text: '<title>page</title>',
    })
  },
)

test('a file with a digest in its name is kept for ever', async () => {
  expect(await get('/assets/app-3f9c.js')).toMatchObject({
    status: 200,
    type: 'text/javascript; charset=utf-8',
    cache: 'public, max-age=31536000, immutable',
  })
})

test('a file that is not there is not the page', async () => {
  expect((await get('/assets/app-0000.js')).status).toBe(404)
})

test.each([
  '/../secret.txt',
  '/..%2fsecret.txt',
  '/%2e%2e/secret.txt',
  '/assets/../../secret.txt',
  '/..%5csecret.txt',
  '/secret.txt%00',
])('nothing outside the directory is served: %s', async (path) => {
  expect((await get(path)).text).not.toContain('secret\n')
  expect((await get(path)).text).not.toBe('secret')
})

test('without a built page the answer says how to build it', async () => {
  const answer = await new Hono().get('*', servePage(join(folder, 'nowhere'))).request('/')
  expect([answer.status, await answer.text()]).toEqual([503, expect.stringContaining('npm run build')])
})
