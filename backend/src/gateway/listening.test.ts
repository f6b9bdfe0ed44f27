import type { JsonRpcNotification } from '@agentopia/dtma/contract'
import { expect, test } from 'vitest'
import { manualClock } from '../reconcile/manual-clock.testing.ts'
import type { Toolbelt } from './authorise.ts'
import { createListening, SAID_AGAIN_MS } from './listening.ts'
import { sharingItem } from './sharing-item.testing.ts'
import { openToolbelt } from './toolbelts.ts'
import type { CallUpstream } from './upstream.ts'

/** One client that listens to a server, which says what it is told to. */
async function listening() {
  const clock = manualClock()
  const end = new AbortController()
  const heard: JsonRpcNotification[] = []
  const servers = new Set<(notification: JsonRpcNotification) => void>()
  let forgotten = 0
  let changed = () => {}
  const callUpstream = ({ onNotification, signal }: Parameters<CallUpstream>[0]) =>
    new Promise<never>((_, reject) => {
      servers.add(onNotification!)
      signal.addEventListener('abort', () => {
        servers.delete(onNotification!)
        reject(signal.reason)
      })
    })
  const open = openToolbelt({
    agent: { enabled: true, accountEnabled: true },
    items: [sharingItem('mail')],
  } as unknown as Toolbelt)
  const { follow } = createListening({
    clock,
    toolbelts: {
      of: async () => open,
      watch: (_, told) => {
        changed = told
        return () => {}
      },
    },
    lists: {
      forget: () => {
        forgotten += 1
      },
    },
    callUpstream,
  })
  const wish = {
    agent: { accountId: 'account_1', agentId: 'agent_1' },
    only: undefined,
    ...{ toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true },
    uris: () => [],
    say: (notification: JsonRpcNotification) => void heard.push(notification),
  }
  const { ended } = follow(wish, end.signal)
  await clock.advance(0)
  return {
    clock,
    heard,
    ended,
    end: () => end.abort(),
    forgotten: () => forgotten,
    beltChanges: () => changed(),
    server: (method: string, params?: object) => {
      for (const say of servers) say({ jsonrpc: '2.0', method, ...(params ? { params } : {}) } as JsonRpcNotification)
    },
  }
}

const PROMPTS = 'notifications/prompts/list_changed'
const UPDATED = 'notifications/resources/updated'

test('a server that says a thousand times a second that its list has changed is read again once a second', async () => {
  const { clock, heard, server, forgotten } = await listening()
  for (let ms = 0; ms < 3_000; ms += 1) {
    server(PROMPTS)
    await clock.advance(1)
  }
  await clock.advance(10_000)
  expect([heard.length, forgotten()]).toEqual([4, 4]) // at once, and at the end of each second
  expect(new Set(heard.map(({ method }) => method))).toEqual(new Set([PROMPTS]))
})

test('the first change is told at once, and the last is told although others came just before it', async () => {
  const { clock, heard, server } = await listening()
  server(PROMPTS)
  expect(heard).toEqual([{ jsonrpc: '2.0', method: PROMPTS }])
  server(PROMPTS)
  await clock.advance(SAID_AGAIN_MS - 1)
  expect(heard.length).toBe(1)
  await clock.advance(1)
  expect(heard.length).toBe(2)
})

test('the last is told as well when the toolbelt changes meanwhile, and not once the client is gone', async () => {
  const { clock, heard, server, beltChanges, end, ended } = await listening()
  server(PROMPTS)
  server(PROMPTS)
  beltChanges()
  await clock.advance(SAID_AGAIN_MS)
  expect(heard.length).toBe(2)
  server(PROMPTS)
  end()
  await clock.advance(10 * SAID_AGAIN_MS)
  await ended
  expect(heard.length).toBe(2)
})

test('each list and each resource is told by itself, under the name that it has here', async () => {
  const { heard, server } = await listening()
  server(PROMPTS)
  server('notifications/resources/list_changed')
  server(UPDATED, { uri: 'mail://one' })
  server(UPDATED, { uri: 'mail://two' })
  expect(heard.map(({ method, params }) => [method, params?.['uri']])).toEqual([
    [PROMPTS, undefined],
    ['notifications/resources/list_changed', undefined],
    [UPDATED, expect.stringContaining('one')],
    [UPDATED, expect.stringContaining('two')],
  ])
})

test('that its tools have changed is told by DTMA, not by the server', async () => {
  const { heard, server, forgotten } = await listening()
  server('notifications/tools/list_changed')
  expect([heard, forgotten()]).toEqual([[], 1])
})
