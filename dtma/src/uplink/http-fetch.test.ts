import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { afterEach, describe, expect, it } from 'vitest'
import { httpFetch } from './http-fetch.ts'

let stop: () => void = () => {}
afterEach(() => stop())

async function serving(handle: RequestListener): Promise<string> {
  const server = createServer(handle).listen(0, '127.0.0.1')
  stop = () => void server.close().closeAllConnections()
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('httpFetch', () => {
  it('sends method, headers and body, and returns status and body', async () => {
    const url = await serving(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += chunk
      response.writeHead(201, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ method: request.method, authorization: request.headers.authorization, body }))
    })
    const response = await httpFetch(`${url}/x`, { method: 'POST', headers: { authorization: 'Bearer a' }, body: '{}' })
    expect(response.status).toBe(201)
    expect(await response.json()).toEqual({ method: 'POST', authorization: 'Bearer a', body: '{}' })
  })

  it('follows no redirect', async () => {
    const url = await serving((_, response) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end())
    expect((await httpFetch(url)).status).toBe(307)
  })

  it('fails when nobody listens, and when it is told to stop', async () => {
    await expect(httpFetch('http://127.0.0.1:1/')).rejects.toThrow('ECONNREFUSED')
    const url = await serving(() => {})
    await expect(httpFetch(url, { signal: AbortSignal.timeout(20) })).rejects.toThrow('aborted')
  })

  it('gives up on a reply without end', async () => {
    const url = await serving((_, response) => {
      const chunk = Buffer.alloc(256 * 1024)
      const more = () => {
        while (!response.destroyed && response.write(chunk)) {}
      }
      response.on('drain', more)
      more()
    })
    await expect(httpFetch(url)).rejects.toThrow('larger than')
  })

  it('never loads the fetch of Node, which would stay in memory', async () => {
    const url = await serving((_, response) => response.end('{"hello":"there"}'))
    // As DTMA is bundled: an ES module that imports node:http loads all that node:http offers.
    const contents = `import { httpFetch } from './http-fetch.ts'
      httpFetch(${JSON.stringify(url)}).then((answer) => answer.json()).then(({ hello }) =>
        process.stdout.write(JSON.stringify([hello, process.moduleLoadList.some((name) => name.includes('undici'))])))`
    const { outputFiles } = await build({
      stdin: { contents, resolveDir: import.meta.dirname },
      bundle: true,
      platform: 'node',
      format: 'cjs',
      write: false,
    })
    const { stdout } = await promisify(execFile)(process.execPath, ['--eval', outputFiles[0]!.text])
    expect(JSON.parse(stdout)).toEqual(['there', false])
  })
})
