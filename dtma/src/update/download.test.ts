import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { download } from './download.ts'

const BYTES = Buffer.alloc(300_000, 'image')
const sha256 = createHash('sha256').update(BYTES).digest('hex')
const never = new AbortController().signal
let serve: (response: ServerResponse) => void
const server = createServer((_, response) => serve(response))
let directory = ''
let url = ''

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dtma-download-'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/image`
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await rm(directory, { recursive: true })
})

const percents: number[] = []
const fetched = async (answer: typeof serve) => {
  serve = answer
  const file = join(directory, 'image')
  const wanted = { url, size: BYTES.length, sha256, file, onProgress: (percent: number) => void percents.push(percent) }
  await download(wanted, never)
  return file
}

test('what was signed arrives whole, and says how far it is', async () => {
  expect(await readFile(await fetched((response) => response.end(BYTES)))).toEqual(BYTES)
  expect(percents.at(-1)).toBe(100)
})

test('U03 one byte that was changed is found out', async () => {
  const changed = Buffer.from(BYTES)
  changed[1_000]! ^= 1
  await expect(fetched((response) => response.end(changed))).rejects.toMatchObject({ reason: 'tampered' })
})

test('U03 an archive that never ends does not fill the disk', async () => {
  const endless = (response: ServerResponse) => {
    const more = () => {
      while (!response.destroyed && response.write(BYTES));
      if (!response.destroyed) response.once('drain', more)
    }
    more()
  }
  await expect(fetched(endless)).rejects.toMatchObject({ reason: 'tampered' })
  expect((await stat(join(directory, 'image'))).size).toBeLessThanOrEqual(BYTES.length)
})

test.each<[string, (response: ServerResponse) => void]>([
  ['that was cut off', (response) => response.end(BYTES.subarray(0, 1_000))],
  [
    'of which the connection broke',
    (response) => void response.write(BYTES.subarray(0, 1_000), () => response.destroy()),
  ],
  ['that is not there', (response) => void response.writeHead(404).end()],
  ['for which there are too many', (response) => void response.writeHead(429).end()],
])('U03 an archive %s may be asked for again', async (_, answer) => {
  await expect(fetched(answer)).rejects.toMatchObject({ reason: 'download_failed' })
})
