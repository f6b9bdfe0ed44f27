import { setImmediate } from 'node:timers/promises'
import { problem } from '@agentopia/api'
import { expect, test, vi } from 'vitest'
import type { OwnTool } from '../credentials/agent-belt.ts'
import { createCallGuard } from '../guard/call-guard.ts'
import { createBulkhead } from '../http/bulkhead.ts'
import { systemClock } from '../reconcile/clock.ts'
import type { BeltItem, Toolbelt } from './authorise.ts'
import { createMakeCall, type MakeCallDeps } from './call.ts'
import { createRefusals } from './refusals.ts'

/** One instance as two agents have it: each in a container of its own, or both in one. */
function agentWith(agentId: string, isOwn: boolean): { toolbelt: Toolbelt; item: BeltItem } {
  const own: Partial<OwnTool> = { instanceId: 'inst_1', agentId }
  const item = {
    id: `belt_${agentId}`,
    enabled: true,
    toolboxAccess: true,
    allowed: new Map([['wait', 'd']]),
    asked: new Set(),
    instance: {
      id: 'inst_1',
      name: 'demo',
      desired: 'running',
      capabilities: [{ name: 'wait', inputSchema: {}, digest: 'd' }],
      toolbox: { id: 'toolbox_1', ...(isOwn ? { own } : {}) },
    },
  } as unknown as BeltItem
  const agent = { id: agentId, accountId: 'a', name: agentId, enabled: true, accountEnabled: true, limits: {} }
  return { toolbelt: { agent, items: [item] } as unknown as Toolbelt, item }
}

const makeCallWith = (change: Pick<MakeCallDeps, 'callUpstream'> & Partial<MakeCallDeps>) =>
  createMakeCall({
    admit: () => undefined,
    refusals: createRefusals(systemClock),
    askFirst: () => Promise.reject(new Error('nobody is asked')),
    bulkhead: createBulkhead({ atOnce: 1, waiting: 1, of: 'calls of this tool' }),
    recorder: { begin: async () => {}, end: async () => {} },
    guardOf: async () => createCallGuard('off', undefined),
    secretAudit: { note: () => {} },
    payloads: { keep: () => {} },
    clock: systemClock,
    newId: () => 'call_1',
    ...change,
  })

const wantedOf = (agentId: string, isOwn: boolean) => ({
  ...agentWith(agentId, isOwn),
  via: 'mcp' as const,
  capability: 'wait',
  arguments: {},
  id: 1,
  timeoutMs: 10_000,
  signal: new AbortController().signal,
})

test.each([
  ['of their own keep nothing busy for each other', true],
  ['that they share wait for each other', false],
])('M14 agents whose calls go to a container %s', async (_, isOwn) => {
  const reached: string[] = []
  const end = Promise.withResolvers<void>()
  const makeCall = makeCallWith({
    callUpstream: async ({ caller }) => {
      reached.push(caller!)
      await end.promise
      return { answer: { result: {} }, written: '{}' }
    },
  })
  const call = (agentId: string) => makeCall(wantedOf(agentId, isOwn))
  const calls = [call('one'), call('two')]
  if (isOwn) await vi.waitFor(() => expect(reached.toSorted()).toEqual(['one', 'two']))
  else await vi.waitFor(() => expect(reached).toEqual(['one']))
  end.resolve()
  await Promise.all(calls)
  expect(reached.toSorted()).toEqual(['one', 'two'])
})

test('nothing is sent before it is on record, and nothing is answered before its end is', async () => {
  const happened: string[] = []
  const [begun, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const call = makeCallWith({
    callUpstream: async () => {
      happened.push('sent')
      return { answer: { result: {} }, written: '{}' }
    },
    recorder: {
      async begin() {
        await begun.promise
        happened.push('begun')
      },
      async end() {
        await ended.promise
        happened.push('ended')
      },
    },
  })(wantedOf('one', false)).then(() => happened.push('answered'))
  await setImmediate()
  expect(happened).toEqual([])
  begun.resolve()
  await vi.waitFor(() => expect(happened).toEqual(['begun', 'sent']))
  await setImmediate()
  expect(happened).toEqual(['begun', 'sent'])
  ended.resolve()
  await call
  expect(happened).toEqual(['begun', 'sent', 'ended', 'answered'])
})

test('what cannot be put on record is not sent', async () => {
  const callUpstream = vi.fn()
  const recorder = { begin: () => Promise.reject(problem('store-unavailable', 'The disk is full')), end: vi.fn() }
  const call = makeCallWith({ callUpstream, recorder })(wantedOf('one', false))
  await expect(call).rejects.toMatchObject({ code: 'store-unavailable' })
  expect(callUpstream).not.toHaveBeenCalled()
})
