import { expect, test, vi } from 'vitest'
import { fakeServer, targetOf } from './fake-server.testing.ts'
import { createMcpBridge } from './tool-sessions.ts'

// `subscriptions/listen`, at a server that knows only subscriptions of its one client.

async function opened(resources: object = { subscribe: true }) {
  const bridge = createMcpBridge({ version: '0', random: Math.random })
  const server = fakeServer({
    onInitialize: ({ id, params }, { say }) =>
      say({
        id,
        result: {
          protocolVersion: params?.['protocolVersion'],
          capabilities: { tools: {}, prompts: { listChanged: true }, resources },
          serverInfo: { name: 'fake', version: '1' },
        },
      }),
  })
  await bridge.open(targetOf(server), AbortSignal.timeout(2_000))
  const listen = (notifications: object) => {
    const said: [string, unknown][] = []
    const leave = new AbortController()
    const ended = bridge.sessionOf('tool').request({
      method: 'subscriptions/listen',
      params: { notifications },
      signal: leave.signal,
      onNotification: ({ method, params }) => void said.push([method, params]),
    })
    ended.catch(() => {})
    return { said, ended, leave: () => leave.abort(new Error('left')) }
  }
  const asked = (method: string) =>
    server.heard.filter((message) => message.method === method).map(({ params }) => params)
  return { bridge, server, listen, asked }
}

const ACK = 'notifications/subscriptions/acknowledged'

test('who listens hears what he asked for, and what is granted first', async () => {
  const { server, listen } = await opened()
  const lists = listen({ promptsListChanged: true, resourcesListChanged: true })
  const one = listen({ resourceSubscriptions: ['file:///a'] })
  expect(lists.said).toEqual([[ACK, { notifications: { promptsListChanged: true, resourcesListChanged: true } }]])
  expect(one.said).toEqual([[ACK, { notifications: { resourceSubscriptions: ['file:///a'] } }]])
  for (const uri of ['file:///a', 'file:///b'])
    server.say({ method: 'notifications/resources/updated', params: { uri } })
  server.say({ method: 'notifications/prompts/list_changed' })
  server.say({ method: 'notifications/tools/list_changed' })
  await vi.waitFor(() => expect(lists.said.slice(1)).toEqual([['notifications/prompts/list_changed', undefined]]))
  expect(one.said.slice(1)).toEqual([['notifications/resources/updated', { uri: 'file:///a' }]])
})

test('the server is subscribed to once for all who listen, and until the last of them leaves', async () => {
  const { listen, asked } = await opened()
  const [one, two] = [
    listen({ resourceSubscriptions: ['file:///a'] }),
    listen({ resourceSubscriptions: ['file:///a'] }),
  ]
  await vi.waitFor(() => expect(asked('resources/subscribe')).toEqual([{ uri: 'file:///a' }]))
  one.leave()
  await expect(one.ended).rejects.toThrow('left')
  expect(asked('resources/unsubscribe')).toEqual([])
  two.leave()
  await vi.waitFor(() => expect(asked('resources/unsubscribe')).toEqual([{ uri: 'file:///a' }]))
  expect(asked('resources/subscribe')).toHaveLength(1)
})

test('a server that offers no subscriptions is not asked for one, and none is granted', async () => {
  const { listen, asked } = await opened({})
  expect(listen({ resourceSubscriptions: ['file:///a'] }).said).toEqual([[ACK, { notifications: {} }]])
  expect(asked('resources/subscribe')).toEqual([])
})

test('when the connection ends, so does listening: whoever wants to go on must come again', async () => {
  const { bridge, listen } = await opened()
  const { ended } = listen({ promptsListChanged: true })
  bridge.close('tool')
  await expect(ended).rejects.toMatchObject({ code: 'tool-not-running' })
})
