import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { whyNotReached } from './index-reach.ts'

const never = new AbortController().signal

test('an index that answers, with whatever, is reached; one that is not there is not', async () => {
  const server = createServer((_, response) => response.writeHead(404).end()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple`
  expect(await whyNotReached(url, never)).toBeUndefined()
  server.close()
  await once(server, 'close')
  expect(await whyNotReached(url, never)).toBe('ECONNREFUSED')
})
