import type { ChangeHint } from '@agentopia/api'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { type Changes, listenForChanges } from './changes.ts'

/** A store of which only the ear is there. */
async function listening() {
  let say = (_: string) => {}
  let lose = () => {}
  const store = {
    listen: async (_: string, onMessage: (payload: string) => void, onGap: () => void) => {
      say = onMessage
      lose = onGap
      return async () => {}
    },
  }
  const changes = await listenForChanges(store, pino({ level: 'silent' }))
  const announce = (account: string, noun: ChangeHint['noun'], id: string) => say(JSON.stringify({ account, noun, id }))
  return { changes, announce, say: (text: string) => say(text), lose: () => lose() }
}

async function heard(changes: Changes, account: string, meanwhile: () => void): Promise<ChangeHint[]> {
  const gone = new AbortController()
  const stream = changes.follow(account, gone.signal)[Symbol.asyncIterator]()
  meanwhile()
  const hints: ChangeHint[] = []
  for (;;) {
    const next = await Promise.race([
      stream.next(),
      new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 20)),
    ])
    if (!next || next.done) break
    hints.push(next.value)
  }
  gone.abort()
  return hints
}

test('a follower hears of the own account, in order, from the moment of following', async () => {
  const { changes, announce } = await listening()
  const hints = await heard(changes, 'a', () => {
    announce('a', 'toolbox', 'toolbox_1')
    announce('b', 'toolbox', 'toolbox_2')
    announce('a', 'agent', 'agent_1')
  })
  expect(hints).toEqual([
    { noun: 'toolbox', id: 'toolbox_1' },
    { noun: 'agent', id: 'agent_1' },
  ])
})

test('the same change many times is one hint', async () => {
  const { changes, announce } = await listening()
  const hints = await heard(changes, 'a', () => {
    for (let n = 0; n < 1_000; n += 1) announce('a', 'toolbox', 'toolbox_1')
  })
  expect(hints).toHaveLength(1)
})

test('a follower that is too slow hears "everything" instead of what he missed', async () => {
  const { changes, announce } = await listening()
  const hints = await heard(changes, 'a', () => {
    for (let n = 0; n < 5_000; n += 1) announce('a', 'call', `call_${n}`)
  })
  expect(hints).toEqual([{ noun: 'everything' }])
})

test('after a gap everybody hears "everything"', async () => {
  const { changes, lose } = await listening()
  const [a, b] = await Promise.all([heard(changes, 'a', () => {}), heard(changes, 'b', lose)])
  expect([a, b]).toEqual([[{ noun: 'everything' }], [{ noun: 'everything' }]])
})

test('an announcement that is none of ours is left out', async () => {
  const { changes, say, announce } = await listening()
  const hints = await heard(changes, 'a', () => {
    say('no JSON')
    announce('a', 'agent', 'agent_1')
  })
  expect(hints).toEqual([{ noun: 'agent', id: 'agent_1' }])
})

test('a stream ends when the follower goes, and when the control plane stops', async () => {
  const { changes } = await listening()
  const gone = new AbortController()
  const one = changes.follow('a', gone.signal)[Symbol.asyncIterator]().next()
  const other = changes.follow('a', new AbortController().signal)[Symbol.asyncIterator]().next()
  gone.abort()
  expect((await one).done).toBe(true)
  await changes.stop()
  expect((await other).done).toBe(true)
})
