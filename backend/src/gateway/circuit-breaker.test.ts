import { ProblemError, problem } from '@agentopia/api'
import { expect, test } from 'vitest'
import { withCircuitBreaker } from './circuit-breaker.ts'
import type { CallUpstream } from './upstream.ts'

const broken = () =>
  problem('toolbox-unreachable', 'The connection to the toolbox broke', { cause: new Error('ECONNRESET') })
const GONE = { status: 502, title: '', retryable: false, fix: '' }
const answer = { answer: { result: {} }, written: '{}' }

function setUp() {
  let now = 1_000_000
  let outcome: () => ReturnType<CallUpstream> = async () => answer
  const asked: string[] = []
  const call = withCircuitBreaker(
    (wanted) => {
      asked.push(wanted.instanceId)
      return outcome()
    },
    { steady: () => now },
  )
  return {
    asked,
    call: (instanceId = 'inst_1') =>
      call({ instanceId } as never).then(
        () => 'ok',
        (error: { code: string; retryAfterSeconds?: number }) =>
          error.retryAfterSeconds === undefined ? error.code : `${error.code} ${error.retryAfterSeconds}`,
      ),
    async calls(count: number, instanceId?: string) {
      const heard: string[] = []
      for (let n = 0; n < count; n += 1) heard.push(await this.call(instanceId))
      return heard
    },
    answers: () => {
      outcome = async () => answer
    },
    fails: (error: () => unknown = broken) => {
      outcome = () => Promise.reject(error())
    },
    holds: (until: Promise<unknown>) => {
      outcome = () => until.then(() => answer)
    },
    pass: (ms: number) => {
      now += ms
    },
  }
}

test('after five broken connections in a row an instance is left alone, and nothing is sent to it', async () => {
  const t = setUp()
  t.fails()
  expect(await t.calls(7)).toEqual([...Array(5).fill('toolbox-unreachable'), 'circuit-open 2', 'circuit-open 2'])
  expect(t.asked).toHaveLength(5)
})

test('another instance is never affected', async () => {
  const t = setUp()
  t.fails()
  await t.calls(5)
  t.answers()
  expect(await t.calls(3, 'inst_2')).toEqual(['ok', 'ok', 'ok'])
  expect(await t.call()).toBe('circuit-open 2')
})

test('after the rest one call tries it out, alone; an answer opens it to all', async () => {
  const t = setUp()
  t.fails()
  await t.calls(5)
  t.pass(2_000)
  const { promise, resolve } = Promise.withResolvers<void>()
  t.holds(promise)
  const trial = t.call()
  expect(await t.call()).toBe('circuit-open 1')
  resolve()
  expect(await trial).toBe('ok')
  t.answers()
  expect(await t.calls(3)).toEqual(['ok', 'ok', 'ok'])
})

test('when the trial breaks too the rest is twice as long, up to half a minute', async () => {
  const t = setUp()
  t.fails()
  await t.calls(5)
  for (const seconds of [2, 4, 8, 16, 30, 30]) {
    expect(await t.call()).toBe(`circuit-open ${seconds}`)
    t.pass(seconds * 1_000)
    expect(await t.call()).toBe('toolbox-unreachable')
  }
})

test.each([
  ['an answer that is a failure', () => problem('tool-failed', 'x', { cause: problem('tool-failed', 'said DTMA') })],
  ['a tool that went away', () => problem('tool-failed', 'x', { cause: new ProblemError('tool-lost', GONE, 'x') })],
  ['an answer that is none', () => problem('tool-failed', 'not JSON-RPC')],
  ['slowness', () => problem('call-timeout', 'x', { cause: new Error('late') })],
  ['a toolbox that is not connected', () => problem('toolbox-unreachable', 'not connected')],
  ['a client that went away', () => new Error('the client went away')],
  ['a stopped instance', () => problem('instance-not-running', 'x', { cause: problem('not-found', 'said DTMA') })],
])('%s never closes an instance to others', async (_, error) => {
  const t = setUp()
  t.fails(error)
  await t.calls(20)
  expect(t.asked).toHaveLength(20)
})

test('what DTMA answers in between shows that the way is good', async () => {
  const t = setUp()
  for (let n = 0; n < 5; n += 1) {
    t.fails()
    await t.calls(4)
    t.fails(() => problem('tool-failed', 'x', { cause: problem('tool-failed', 'said DTMA') }))
    await t.call()
  }
  expect(t.asked).toHaveLength(25)
})

test('a trial whose client went away decides nothing, and does not stop the next', async () => {
  const t = setUp()
  t.fails()
  await t.calls(5)
  t.pass(2_000)
  t.fails(() => new Error('the client went away'))
  await t.call()
  t.answers()
  expect(await t.calls(2)).toEqual(['ok', 'ok'])
})
