import { pino } from 'pino'
import { expect, test } from 'vitest'
import { createCatalog } from '../catalog/catalog.ts'
import { systemClock } from '../reconcile/clock.ts'
import type { Store } from '../store/connect.ts'
import { createAgentTools } from './agent-tools.ts'

/** A store that takes notes, and answers no question. */
const onlyTakesNotes = {
  tenant: async () => 'noted',
  system: () => Promise.reject(new Error('It was looked at, beside the reconciler')),
} as unknown as Store

/** What happens to one call while the reconciler says these words, one after the other. */
function callHearing(words: readonly string[]) {
  const sent: string[] = []
  const woken: string[] = []
  const tools = createAgentTools({
    store: onlyTakesNotes,
    catalog: createCatalog([]),
    callUpstream: async ({ instanceId }) => {
      sent.push(instanceId)
      return { answer: { result: {} }, written: '{}' }
    },
    clock: systemClock,
    log: pino({ level: 'silent' }),
    wake: (name) => {
      woken.push(name)
      for (const word of words) tools.stepped(name, word)
    },
    idleMs: 60_000,
    signal: new AbortController().signal,
  })
  const own = { accountId: 'a', toolboxId: 't', instanceId: 'i', agentId: 'x', instanceName: 'i', secretsVersion: 'v2' }
  const toolbox = { id: 't', accountId: 'a', own } as unknown as Parameters<typeof tools.call>[0]['toolbox']
  const call = () =>
    tools.call({
      toolbox,
      instanceId: 'i',
      id: 1,
      request: '{}',
      timeoutMs: 5_000,
      signal: new AbortController().signal,
    })
  return { sent, woken, tools, call }
}

test('a call that wakes its container is sent at the word of the reconciler, and reads nothing beside it', async () => {
  const { sent, woken, call } = callHearing(['v2'])
  await call()
  await call()
  expect({ sent, woken }).toEqual({ sent: ['i-x', 'i-x'], woken: ['i-x'] })
})

test('K04 that it runs with other secrets than those of the call sends nothing', async () => {
  const { sent, call } = callHearing(['v1'])
  await expect(call()).rejects.toThrow('It was looked at')
  expect(sent).toEqual([])
})

test('a container that is about to be changed is asked for again by the next call', async () => {
  const { sent, woken, tools, call } = callHearing(['v2'])
  await call()
  tools.cooled('i-x')
  await call()
  expect({ sent, woken }).toEqual({ sent: ['i-x', 'i-x'], woken: ['i-x', 'i-x'] })
})
