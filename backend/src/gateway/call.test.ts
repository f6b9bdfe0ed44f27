import { expect, test, vi } from 'vitest'
import type { OwnTool } from '../credentials/agent-belt.ts'
import { createCallGuard } from '../guard/call-guard.ts'
import { createBulkhead } from '../http/bulkhead.ts'
import { systemClock } from '../reconcile/clock.ts'
import type { BeltItem, Toolbelt } from './authorise.ts'
import { createMakeCall } from './call.ts'
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

test.each([
  ['of their own keep nothing busy for each other', true],
  ['that they share wait for each other', false],
])('M14 agents whose calls go to a container %s', async (_, isOwn) => {
  const reached: string[] = []
  const end = Promise.withResolvers<void>()
  const makeCall = createMakeCall({
    callUpstream: async ({ caller }) => {
      reached.push(caller!)
      await end.promise
      return { answer: { result: {} }, written: '{}' }
    },
    admit: () => undefined,
    refusals: createRefusals(systemClock),
    askFirst: () => Promise.reject(new Error('nobody is asked')),
    bulkhead: createBulkhead({ atOnce: 1, waiting: 1, of: 'calls of this tool' }),
    recorder: { begin: () => {}, end: () => {} },
    guardOf: async () => createCallGuard('off', undefined),
    secretAudit: { note: () => {} },
    payloads: { keep: () => {} },
    clock: systemClock,
    newId: () => 'call_1',
  })
  const call = (agentId: string) =>
    makeCall({
      ...agentWith(agentId, isOwn),
      via: 'mcp',
      capability: 'wait',
      arguments: {},
      id: 1,
      timeoutMs: 10_000,
      signal: new AbortController().signal,
    })
  const calls = [call('one'), call('two')]
  if (isOwn) await vi.waitFor(() => expect(reached.toSorted()).toEqual(['one', 'two']))
  else await vi.waitFor(() => expect(reached).toEqual(['one']))
  end.resolve()
  await Promise.all(calls)
  expect(reached.toSorted()).toEqual(['one', 'two'])
})
