import { eq } from 'drizzle-orm'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { agentOffers, agents, agentTools, credentials, toolbeltItems } from '../store/schema/index.ts'
import { openTestCredentials, until } from './credentials.testing.ts'

let plane: Awaited<ReturnType<typeof openTestCredentials>>
beforeEach(async () => {
  plane = await openTestCredentials()
})
afterEach(() => plane.close())

const observed = async () => (await plane.store.system((tx) => tx.select().from(agentTools)))[0]?.status
const startsOf = (tool: string) => plane.toolbox.asked.filter((asked) => asked === `putToolSecrets ${tool}`).length

test('a credential is tried before any call: the container starts, what it offers is stored, the credential is valid', async () => {
  const instance = await plane.instanceIn('account_1')
  const agent = await plane.agentOf(instance)
  await agent.give('secret-of-one')
  plane.wake(agent.tool)
  await until('the credential is valid', async () => (await agent.credential())?.state === 'valid')
  const [row] = await plane.store.system((tx) => tx.select().from(agentOffers))
  expect(row?.capabilities.map(({ name }) => name)).toEqual(['tell'])
  expect(await agent.call()).toBe('secret-of-one')
})

test('a credential that the server dislikes is refused with the reason, and a better one is valid', async () => {
  plane.toolbox.dislikes = 'wrong-secret'
  const agent = await plane.agentOf(await plane.instanceIn('account_1'))
  await agent.give('wrong-secret')
  await expect(agent.call()).rejects.toMatchObject({ code: 'instance-not-running' })
  await until('it is refused', async () => (await agent.credential())?.state === 'refused')
  expect((await agent.credential())?.reason).toBe('The server exited with code 1')
  await agent.give('right-secret')
  expect(await agent.call()).toBe('right-secret')
  await until('it is valid', async () => (await agent.credential())?.state === 'valid')
})

test('M07 a server that describes itself otherwise while it runs for one agent is found out without a restart', async () => {
  const agent = await plane.agentOf(await plane.instanceIn('account_1'))
  await agent.give('secret-of-one')
  expect(await agent.call()).toBe('secret-of-one')
  const digests = async () =>
    (await plane.store.system((tx) => tx.select().from(agentOffers)))[0]?.capabilities.map(({ digest }) => digest)
  await until('what it offers is stored', async () => (await digests())?.[0] === 'c1')
  const starts = startsOf(agent.tool)
  plane.toolbox.offers = 'c2'
  // The toolbox reports it with the next heartbeat.
  await plane.report(agent.tool)
  await until('the change is seen', async () => (await digests())?.[0] === 'c2')
  expect(startsOf(agent.tool)).toBe(starts)
  // Seen once, it is asked for no more.
  const asked = () => plane.toolbox.asked.filter((one) => one.startsWith('getCapabilities')).length
  const before = asked()
  for (let n = 0; n < 5; n += 1) {
    plane.wake(agent.tool)
    await agent.call()
  }
  expect(asked()).toBe(before)
})

test('K06 without a credential a call is refused by name, and no container is asked for', async () => {
  const agent = await plane.agentOf(await plane.instanceIn('account_1'))
  await expect(agent.call()).rejects.toMatchObject({ code: 'missing-credential' })
  expect(plane.toolbox.asked).toEqual([])
})

test('concurrent calls share one start', async () => {
  plane.toolbox.looks = 5
  const agent = await plane.agentOf(await plane.instanceIn('account_1'))
  await agent.give('secret-of-one')
  const answers = await Promise.all(Array.from({ length: 20 }, () => agent.call()))
  expect(new Set(answers)).toEqual(new Set(['secret-of-one']))
  expect(startsOf(agent.tool)).toBe(1)
})

test('a call gives up at its deadline, and nothing was sent', async () => {
  plane.toolbox.looks = 1_000_000
  const agent = await plane.agentOf(await plane.instanceIn('account_1'))
  await agent.give('secret-of-one')
  await expect(agent.call(200)).rejects.toMatchObject({ code: 'call-timeout' })
  expect(plane.toolbox.calls).toEqual([])
})

test('M18 agents who call one instance at once reach their own containers with their own secrets, each time', async () => {
  const instance = await plane.instanceIn('account_1')
  const crowd = await Promise.all(Array.from({ length: 8 }, () => plane.agentOf(instance)))
  await Promise.all(crowd.map((agent) => agent.give(`secret-of-${agent.agentId}`)))
  await Promise.all(
    Array.from({ length: 25 }).flatMap(() =>
      crowd.map(async (agent) => expect(await agent.call()).toBe(`secret-of-${agent.agentId}`)),
    ),
  )
  for (const { tool } of crowd) expect(plane.toolbox.calls.filter((call) => call.tool === tool)).toHaveLength(25)
  expect(new Set(plane.toolbox.calls.map((call) => call.tool)).size).toBe(crowd.length)
  expect([...plane.toolbox.tools.keys()]).not.toContain(instance.instanceId)
})

test('K04 a rotated secret is used by the next call, and the old one never again', async () => {
  const agent = await plane.agentOf(await plane.instanceIn('account_1'))
  await agent.give('first')
  expect(await agent.call()).toBe('first')
  for (const secret of ['second', 'third', 'fourth']) {
    await agent.give(secret)
    expect(await Promise.all([agent.call(), agent.call(), agent.call()])).toEqual([secret, secret, secret])
  }
})

test('a revoked secret is gone from the toolbox, and calls are refused at once', async () => {
  const agent = await plane.agentOf(await plane.instanceIn('account_1'))
  await agent.give('secret-of-one')
  await agent.call()
  await plane.store.system((tx) => tx.delete(credentials))
  await expect(agent.call()).rejects.toMatchObject({ code: 'missing-credential' })
  await until('the toolbox forgot it', () => plane.toolbox.tools.get(agent.tool)?.held === undefined)
  expect(plane.toolbox.tools.get(agent.tool)?.used).toBeUndefined()
})

test.each([
  ['the toolbelt item is switched off', toolbeltItems],
  ['the agent is switched off', agents],
] as const)('while %s, its container is stopped', async (_, table) => {
  const agent = await plane.agentOf(await plane.instanceIn('account_1'))
  await agent.give('secret-of-one')
  await agent.call()
  await plane.store.system((tx) => tx.update(table).set({ enabled: false }))
  await until('it is stopped', async () => (await observed())?.desired === 'stopped')
  expect(plane.toolbox.tools.get(agent.tool)?.used).toBeUndefined()
  await plane.store.system((tx) => tx.update(table).set({ enabled: true }))
  expect(await agent.call()).toBe('secret-of-one')
})

test('K05 an agent that loses the tool leaves nothing on the toolbox: container, secrets and row go', async () => {
  const agent = await plane.agentOf(await plane.instanceIn('account_1'))
  await agent.give('secret-of-one')
  await agent.call()
  await plane.store.system((tx) => tx.delete(agents).where(eq(agents.id, agent.agentId)))
  await until('the tool is removed', () => !plane.toolbox.tools.has(agent.tool))
  await until(
    'its row is gone',
    async () => (await plane.store.system((tx) => tx.select().from(agentTools))).length === 0,
  )
})

/** A call does not wait until what the toolbox said is on record. */
const recordedAsRunning = () => until('it is on record as running', async () => (await observed())?.state === 'running')

test('a container that ended behind our back is an error once, and started by the next call', async () => {
  const agent = await plane.agentOf(await plane.instanceIn('account_1'))
  await agent.give('secret-of-one')
  await agent.call()
  await recordedAsRunning()
  plane.toolbox.tools.clear()
  await expect(agent.call()).rejects.toMatchObject({ code: 'instance-not-running' })
  expect(await agent.call()).toBe('secret-of-one')
})

test('M12 a container that ends in the middle of a call fails that call, which is not repeated; the next one starts it', async () => {
  const agent = await plane.agentOf(await plane.instanceIn('account_1'))
  await agent.give('secret-of-one')
  await agent.call()
  await recordedAsRunning()
  plane.toolbox.ends.add(agent.tool)
  const before = plane.toolbox.calls.length
  await expect(agent.call()).rejects.toMatchObject({ code: 'tool-failed', kind: { retryable: false } })
  expect(plane.toolbox.calls).toHaveLength(before + 1)
  expect(await agent.call()).toBe('secret-of-one')
})

test('a DTMA that was restarted gets the secrets again', async () => {
  const agent = await plane.agentOf(await plane.instanceIn('account_1'))
  await agent.give('secret-of-one')
  await agent.call()
  // A call does not wait until what the toolbox said is on record.
  await until('it is on record as running', async () => {
    const [row] = await plane.store.system((tx) => tx.select().from(agentTools).where(eq(agentTools.id, agent.tool)))
    return row?.status?.state === 'running'
  })
  const tool = plane.toolbox.tools.get(agent.tool)!
  tool.held = undefined
  tool.used = undefined
  await plane.store.system((tx) =>
    tx
      .update(agentTools)
      .set({ status: { ...BLOCKED, name: agent.tool } })
      .where(eq(agentTools.id, agent.tool)),
  )
  await until('they are held again', () => plane.toolbox.tools.get(agent.tool)?.held !== undefined)
  expect(await agent.call()).toBe('secret-of-one')
})

const BLOCKED = {
  generation: 1,
  desired: 'running',
  state: 'blocked',
  reason: 'missing_credential',
  since: '2026-01-01T00:00:00.000Z',
  restarts: 0,
  secrets: {},
} as const

test('a credential is tried to the end, also when its tool takes longer to be ready than one without calls is kept', async () => {
  await plane.close()
  plane = await openTestCredentials({ idleMs: 400 })
  plane.toolbox.looks = 8
  const agent = await plane.agentOf(await plane.instanceIn('account_1'))
  await agent.give('secret-of-one')
  plane.wake(agent.tool)
  await until('it is valid', async () => (await agent.credential())?.state === 'valid')
  await until('it is stopped', () => plane.toolbox.tools.get(agent.tool)?.request.desired === 'stopped')
})

test('an agent that does not call for a while has no container running; the next call starts it', async () => {
  await plane.close()
  plane = await openTestCredentials({ idleMs: 400 })
  const agent = await plane.agentOf(await plane.instanceIn('account_1'))
  await agent.give('secret-of-one')
  expect(await agent.call()).toBe('secret-of-one')
  await until('it is stopped', () => plane.toolbox.tools.get(agent.tool)?.request.desired === 'stopped')
  expect(await agent.call()).toBe('secret-of-one')
  const busyUntil = performance.now() + 1_000
  while (performance.now() < busyUntil) expect(await agent.call()).toBe('secret-of-one')
})
