import type { Capability } from '@agentopia/dtma/contract'
import { eq } from 'drizzle-orm'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { insertToolbeltItem, listToolbeltViews, setAllowed } from '../agents/toolbelt.store.ts'
import { activities, agentOffers, agents, instances, toolbeltItems } from '../store/schema/index.ts'
import { approve } from '../tools/pin.store.ts'
import { openTestCredentials, until } from './credentials.testing.ts'

// Two agents with one tool that takes secrets: what their containers offer differs, as their credentials do.

type Agent = Awaited<ReturnType<Plane['agentOf']>>
type Plane = Awaited<ReturnType<typeof openTestCredentials>>
let plane: Plane
let place: Awaited<ReturnType<Plane['instanceIn']>>
let reader: Agent
let writer: Agent

const capability = (name: string, digest = name): Capability => ({ name, inputSchema: {}, digest })
const READER = [capability('tell'), capability('read')]
const WRITER = [capability('tell'), capability('write'), capability('wipe')]

beforeEach(async () => {
  plane = await openTestCredentials()
  place = await plane.instanceIn('account_1')
  reader = await agentWith(READER)
  writer = await agentWith(WRITER)
  for (const agent of [reader, writer]) await agent.allow(['tell', 'read', 'write'])
})
afterEach(() => plane.close())

async function agentWith(offer: readonly Capability[]): Promise<Agent> {
  const agent = await plane.agentOf(place)
  plane.toolbox.lists.set(agent.tool, offer)
  return agent
}

/** Gives an agent its credential, and waits until its server was asked what it offers. */
async function begin(agent: Agent): Promise<void> {
  await agent.give(`secret-of-${agent.agentId}`)
  plane.wake(agent.tool)
  await until('the credential is valid', async () => (await agent.credential())?.state === 'valid')
}

async function changeTo(agent: Agent, offer: readonly Capability[]): Promise<void> {
  plane.toolbox.lists.set(agent.tool, offer)
  await plane.report(agent.tool)
}

const viewOf = async ({ accountId, agentId }: Agent) =>
  (await plane.store.tenant(accountId, (tx) => listToolbeltViews(tx, agentId)))[0]!
const offersOf = async (agent: Agent) =>
  (
    await plane.store.system((tx) => tx.select().from(agentOffers).where(eq(agentOffers.toolbeltItemId, agent.itemId)))
  )[0]
const told = async () =>
  (await plane.store.system((tx) => tx.select().from(activities)))
    .filter(({ action }) => action === 'instance.capabilities-changed')
    .map(({ message }) => message)

test('M18 each agent sees, may call and is pinned to what its own container offers, whichever started last', async () => {
  for (const order of [
    [reader, writer],
    [writer, reader],
  ]) {
    for (const agent of order) await begin(agent)
    expect(await reader.listed()).toEqual(['teller__tell', 'teller__read'])
    expect(await writer.listed()).toEqual(['teller__tell', 'teller__write'])
    const offered = async (agent: Agent) =>
      (await viewOf(agent)).permissions.filter((one) => one.offered).map((one) => one.capability)
    expect(await offered(reader)).toEqual(['tell', 'read'])
    expect(await offered(writer)).toEqual(['tell', 'write', 'wipe'])
  }
})

test('M07 agents to whom one capability is described differently never make it drift for each other', async () => {
  plane.toolbox.lists.set(writer.tool, [capability('tell', 'tells and writes down'), ...WRITER.slice(1)])
  await begin(reader)
  await begin(writer)
  await begin(reader)
  for (const agent of [reader, writer]) {
    expect(await agent.listed()).toContain('teller__tell')
    expect((await viewOf(agent)).permissions.filter(({ changed }) => changed)).toEqual([])
  }
  expect(await told()).toEqual([])
})

test('M07 a changed definition blocks the agent to whom it changed, until it is approved, and no other', async () => {
  await begin(reader)
  await begin(writer)
  await changeTo(writer, [capability('tell', 'mails it away'), ...WRITER.slice(1)])
  await until('the change is seen', async () => !(await writer.listed()).includes('teller__tell'))
  expect(await writer.listed()).toEqual(['teller__write'])
  expect(await reader.listed()).toEqual(['teller__tell', 'teller__read'])
  expect((await viewOf(writer)).permissions[0]).toMatchObject({
    capability: 'tell',
    changed: { from: { digest: 'tell' }, to: { digest: 'mails it away' } },
  })
  expect((await viewOf(reader)).permissions.some(({ changed }) => changed)).toBe(false)
  expect(await told()).toEqual([expect.stringMatching(/^teller .*blocked until approved for \S+: tell$/)])

  const { accountId, itemId } = writer
  // What the other agent was offered is not what was looked at.
  const wrong = plane.store.tenant(accountId, (tx) => approve(tx, itemId, 'tell', 'tell'))
  await expect(wrong).rejects.toMatchObject({ code: 'capability-changed' })
  await plane.store.tenant(accountId, (tx) => approve(tx, itemId, 'tell', 'mails it away'))
  expect(await writer.listed()).toEqual(['teller__tell', 'teller__write'])
})

test('M15 what only another agent is offered is not there: neither listed nor called, though it is allowed', async () => {
  await begin(reader)
  await begin(writer)
  expect(await reader.listed()).not.toContain('teller__write')
  const write = (await viewOf(reader)).permissions.find((one) => one.capability === 'write')
  expect(write).toMatchObject({ allowed: true, offered: false })
})

test('what a person allowed by another agent’s definition is pinned to that: one of its own that differs is blocked until approved', async () => {
  await begin(writer)
  await plane.store.tenant(reader.accountId, (tx) => setAllowed(tx, reader.accountId, reader.itemId, ['tell', 'wipe']))
  plane.toolbox.lists.set(reader.tool, [capability('tell', 'says it aloud'), capability('wipe')])
  await begin(reader)
  expect(await reader.listed()).toEqual(['teller__wipe'])
  expect((await viewOf(reader)).permissions[0]).toMatchObject({
    capability: 'tell',
    changed: { from: { digest: 'tell' }, to: { digest: 'says it aloud' } },
  })
})

test('before its own container was asked nothing is open to an agent; it shows what others are offered, to choose from', async () => {
  await begin(writer)
  const view = await viewOf(reader)
  expect(view.offer).toBe('awaited')
  expect(view.permissions.map((one) => [one.capability, one.allowed, one.offered])).toEqual([
    ['tell', true, true],
    ['wipe', false, true],
    ['write', true, true],
    ['read', true, false],
  ])
  expect(await reader.listed()).toEqual([])
  await begin(reader)
  expect((await viewOf(reader)).offer).toBe('own')
  expect(await reader.listed()).toEqual(['teller__tell', 'teller__read'])
})

test.each([
  ['an agent', () => plane.store.system((tx) => tx.delete(agents).where(eq(agents.id, reader.agentId)))],
  [
    'a toolbelt item',
    () => plane.store.system((tx) => tx.delete(toolbeltItems).where(eq(toolbeltItems.id, reader.itemId))),
  ],
])('%s that goes takes its offer along, and that of others stays', async (_, remove) => {
  await begin(reader)
  await begin(writer)
  expect(await offersOf(reader)).toBeDefined()
  await remove()
  expect(await offersOf(reader)).toBeUndefined()
  expect(await writer.listed()).toEqual(['teller__tell', 'teller__write'])
})

test('an item that was taken out and put back is asked anew, and is pinned to nothing of before', async () => {
  await begin(reader)
  const { accountId, agentId, itemId } = reader
  await plane.store.system((tx) => tx.delete(toolbeltItems).where(eq(toolbeltItems.id, itemId)))
  plane.toolbox.lists.set(reader.tool, [capability('tell', 'tells something else')])
  await plane.store.system((tx) =>
    insertToolbeltItem(tx, { id: itemId, accountId, agentId, instanceId: place.instanceId }, 'teller'),
  )
  await reader.allow(['tell'])
  expect(await reader.listed()).toEqual([])
  await begin(reader)
  expect(await reader.listed()).toEqual(['teller__tell'])
})

test('the instance itself offers nothing, so that nobody is given what another was offered', async () => {
  await begin(reader)
  const [row] = await plane.store.system((tx) => tx.select().from(instances))
  expect([row?.capabilities, row?.capabilityDigest]).toEqual([null, null])
})
