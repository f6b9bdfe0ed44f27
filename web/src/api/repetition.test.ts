import { createAgent, createAgentToken, grantToolboxAccess, type Operation, problem, removeAgent } from '@agentopia/api'
import { expect, test } from 'vitest'
import { withRepetition } from './repetition.ts'
import { Unreachable } from './unreachable.ts'

const lost = new Unreachable('network changed')

/** Fails so often, then succeeds. A pause takes as long as it says, and `asleepMs` more. */
async function sentUntil(op: Operation, failures: unknown[], asleepMs = 0): Promise<[outcome: unknown, sent: number]> {
  let now = 1_000
  let sent = 0
  const pause = async (ms: number) => {
    now += ms + asleepMs
  }
  const send = async () => {
    const failure = failures[sent++]
    if (failure !== undefined) throw failure
    return 'done'
  }
  const outcome = await withRepetition(op, { now: () => now, pause, random: () => 0.5 }, send).catch((error) => error)
  return [outcome, sent]
}

test('what has a key is sent again when nothing came back, and not for ever', async () => {
  expect(await sentUntil(createAgent, [lost])).toEqual(['done', 2])
  expect(await sentUntil(createAgent, [lost, lost])).toEqual(['done', 3])
  expect(await sentUntil(createAgent, [lost, lost, lost])).toEqual([lost, 3])
})

test('a machine that slept meanwhile, or a tab in the background, does not do it when nobody wants it any more', async () => {
  expect(await sentUntil(createAgent, [lost], 3_600_000)).toEqual([lost, 1])
})

test('what would be done twice, told that it is gone, or set over what somebody else has set is left to the person', async () => {
  for (const op of [createAgentToken, removeAgent, grantToolboxAccess])
    expect(await sentUntil(op, [lost])).toEqual([lost, 1])
})

test('an answer is an answer, also one that says no, and so is one that takes too long', async () => {
  for (const failure of [problem('store-unavailable', 'away'), new DOMException('late', 'TimeoutError')])
    expect(await sentUntil(createAgent, [failure])).toEqual([failure, 1])
})
