import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { createSealer } from '../store/seal.ts'
import { sealedKeyOf } from '../toolboxes/dtma-client.ts'
import { createRoad, type RoadRequest } from './road.ts'

const sealer = createSealer(Buffer.alloc(32, 1))
const toolbox = { id: 'toolbox_1', accountId: 'account_1', direct: null, publicIpAddress: null, publicKey: null }
const sealed = { ...toolbox, backendToDtmaApiKey: sealer.seal('the-key', sealedKeyOf(toolbox)) }
const request: RoadRequest = {
  method: 'POST',
  path: '/tools/inst_1/mcp',
  headers: { accept: 'application/json' },
  body: '{}',
  signal: new AbortController().signal,
}

test('a call carries the key of its toolbox, which is opened once', async () => {
  let opened = 0
  const counting: typeof sealer = {
    ...sealer,
    open(...args) {
      opened += 1
      return sealer.open(...args)
    },
  }
  const sent: RoadRequest[] = []
  const road = createRoad({
    sealer: counting,
    send: async (_, one) => {
      sent.push(one)
      return { status: 200, headers: {}, body: Readable.from([]) }
    },
  })
  await road(sealed, request)
  await road(sealed, request)
  expect(sent[1]?.headers).toEqual({ accept: 'application/json', authorization: 'Bearer the-key' })
  expect(opened).toBe(1)
})

test.each([
  ['not enrolled', { ...toolbox, backendToDtmaApiKey: null }, async () => Promise.reject(new Error('unused'))],
  ['not connected', sealed, () => undefined],
  ['broken', sealed, async () => Promise.reject(new Error('reset'))],
])('a toolbox that is %s is unreachable', async (_, to, send) => {
  await expect(createRoad({ sealer, send })(to, request)).rejects.toMatchObject({ code: 'toolbox-unreachable' })
})

test('a call that was given up fails with the reason of that', async () => {
  const reason = new Error('the client went away')
  const send = async () => Promise.reject(new Error('cancelled'))
  const road = createRoad({ sealer, send })
  await expect(road(sealed, { ...request, signal: AbortSignal.abort(reason) })).rejects.toThrow('cancelled')
})
