import { type Fetch, getHealth, getStatus, mcpPathOf } from '@agentopia/dtma/contract'
import { expect, test } from 'vitest'
import { createSealer } from '../store/seal.ts'
import { createDtmaClients, sealedKeyOf } from './dtma-client.ts'

const sealer = createSealer(Buffer.alloc(32, 1))
const id = 'toolbox_a'
const accountId = 'account'
const toolbox = {
  id,
  accountId,
  direct: null,
  publicIpAddress: null,
  publicKey: null,
  backendToDtmaApiKey: sealer.seal('the key', sealedKeyOf({ id, accountId })),
}

function scene(answer: Fetch) {
  const requests: Request[] = []
  const tunnel: Fetch = (url, init) => {
    requests.push(new Request(url, init))
    return answer(url, init)
  }
  return {
    requests,
    clients: createDtmaClients({ sealer, roadOf: (to) => (to.id === id ? tunnel : undefined) }),
  }
}
const health = async () => Response.json({ status: 'ok', version: '0.1.0' })

test('a call travels through the tunnel with the unsealed key of the toolbox', async () => {
  const { clients, requests } = scene(health)
  expect(await clients.clientOf(toolbox).call(getHealth, {})).toEqual({ status: 'ok', version: '0.1.0' })
  expect(requests[0]!.headers.get('authorization')).toBe('Bearer the key')
  expect(new URL(requests[0]!.url).pathname).toBe('/health')
})

test('a pass-through takes a path, keeps the headers and replaces whatever authorization the caller had', async () => {
  const { clients, requests } = scene(health)
  await clients.fetchOf(toolbox)(mcpPathOf('inst_1'), {
    headers: { accept: 'text/event-stream', authorization: 'Bearer agent' },
  })
  expect(new URL(requests[0]!.url).pathname).toBe('/tools/inst_1/mcp')
  expect(Object.fromEntries(requests[0]!.headers)).toMatchObject({
    accept: 'text/event-stream',
    authorization: 'Bearer the key',
  })
})

test('without a tunnel, or before enrolment, a toolbox is unreachable', () => {
  const { clients } = scene(health)
  const other = {
    ...toolbox,
    id: 'toolbox_b',
    backendToDtmaApiKey: sealer.seal('k', sealedKeyOf({ id: 'toolbox_b', accountId })),
  }
  for (const act of [clients.clientOf, clients.fetchOf]) {
    expect(() => act(other)).toThrow(expect.objectContaining({ code: 'toolbox-unreachable' }))
    expect(() => act({ ...toolbox, backendToDtmaApiKey: null })).toThrow(
      expect.objectContaining({ code: 'toolbox-unreachable' }),
    )
  }
})

test('a connection that breaks during a call is an unreachable toolbox, with the cause', async () => {
  const cause = new Error('stream closed')
  const { clients } = scene(() => Promise.reject(cause))
  await expect(clients.clientOf(toolbox).call(getStatus, {})).rejects.toMatchObject({
    code: 'toolbox-unreachable',
    cause,
  })
})

test("a call that its caller gave up ends with the caller's reason", async () => {
  const stop = new AbortController()
  const { clients } = scene((_, init) => Promise.reject(init!.signal!.reason))
  stop.abort(new Error('given up'))
  await expect(clients.clientOf(toolbox).call(getStatus, {}, { signal: stop.signal })).rejects.toThrow('given up')
})

test('a key that was sealed for another toolbox does not open', () => {
  const { clients } = scene(health)
  expect(() => clients.clientOf({ ...toolbox, accountId: 'other' })).toThrow()
})
