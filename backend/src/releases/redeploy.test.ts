import { type Client, Release, type redeployDtma, type SignedRelease } from '@agentopia/dtma/contract'
import { eq } from 'drizzle-orm'
import { pino } from 'pino'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type As, NOBODY, openTestControlPlane, signedIn, type TestControlPlane } from '../control-plane.testing.ts'
import { newId } from '../new-id.ts'
import { systemClock } from '../reconcile/clock.ts'
import { activities, toolboxes } from '../store/schema/index.ts'
import { type RedeployFacts, redeploymentOf } from './redeploy.decision.ts'
import { dtmaImage, givingOut } from './release.testing.ts'
import { createReleaseKey } from './release-key.ts'
import { createReleases } from './releases.ts'
import { updateReconciler } from './update.reconciler.ts'

const ACCOUNT = 'acct_redeploys'
const toolboxId = newId('toolbox')
let plane: TestControlPlane
let operator: As

beforeAll(async () => {
  plane = await openTestControlPlane(undefined, givingOut())
  operator = await signedIn(plane, ACCOUNT, 'operator')
  await plane.store.system((tx) =>
    tx.insert(toolboxes).values({ id: toolboxId, accountId: ACCOUNT, name: 'alpha', provider: 'join' }),
  )
})
afterAll(() => plane?.close())
beforeEach(() => change({ status: 'active', dtmaVersion: '0.2.0', updateAsked: null, updateState: null }))

const change = (values: Partial<typeof toolboxes.$inferInsert>) =>
  plane.store.system((tx) => tx.update(toolboxes).set(values).where(eq(toolboxes.id, toolboxId)))
const row = async () =>
  (await plane.store.system((tx) => tx.select().from(toolboxes).where(eq(toolboxes.id, toolboxId))))[0]!
const redeploy = async (as: As = operator) => {
  const answer = await plane.request('POST', `/api/toolboxes/${toolboxId}/redeploy`, as)
  const body = (await answer.json()) as { readonly code?: string; readonly detail?: string; readonly update?: object }
  return { ...body, status: answer.status }
}

test('who may not operate may not redeploy', async () => {
  expect((await redeploy(await signedIn(plane, ACCOUNT, 'viewer'))).status).toBe(403)
  expect((await redeploy(await signedIn(plane, 'acct_strangers', 'owner'))).status).toBe(404)
  expect((await redeploy(NOBODY)).status).toBe(401)
})

test('the version that runs is asked for again, asked twice it is once, and who asked is on record', async () => {
  expect(await redeploy()).toMatchObject({ status: 202, update: { version: '0.2.0', phase: 'asked' } })
  const { updateAsked } = await row()
  expect(updateAsked).toMatchObject({ version: '0.2.0', again: true })
  await redeploy()
  expect((await row()).updateAsked).toEqual(updateAsked)
  const told = await plane.store.system((tx) =>
    tx.select().from(activities).where(eq(activities.action, 'toolbox.redeploy')),
  )
  expect(told).toMatchObject([{ subject: toolboxId, message: 'Asked to deploy DTMA 0.2.0 of alpha anew' }])
  expect(told[0]!.actor).not.toBe('control plane')
})

test('an older DTMA gets the newer version as by an update, which it takes without more', async () => {
  await change({ dtmaVersion: '0.1.0' })
  expect(await redeploy()).toMatchObject({ status: 202, update: { version: '0.2.0' } })
  expect((await row()).updateAsked).not.toHaveProperty('again')
})

test('a toolbox that is not heard is not asked: the answer says what to do instead', async () => {
  await change({ status: 'unresponsive' })
  expect(await redeploy()).toMatchObject({
    status: 409,
    code: 'not-redeployable',
    detail: expect.stringContaining('agentopia toolbox join alpha'),
  })
  expect((await row()).updateAsked).toBeNull()
})

test('U02 the release that is sent is signed for this one attempt, and for no other when it is newer', async () => {
  const releases = createReleases({
    image: dtmaImage,
    bundle: undefined,
    key: createReleaseKey(new Uint8Array(32)),
    clock: systemClock,
    log: pino({ level: 'silent' }),
  })
  const sent: { readonly attempt: string; readonly release: Release }[] = []
  async function call(_: typeof redeployDtma, { body }: { body: { attempt: string; release: SignedRelease } }) {
    sent.push({ attempt: body.attempt, release: Release.parse(JSON.parse(body.release.manifest)) })
  }
  const clientOf = () => ({ call }) as unknown as Client
  const reconciler = updateReconciler({ store: plane.store, clock: systemClock, releases, clientOf })
  const asked = { attempt: 'one', version: '0.2.0', askedAt: new Date().toISOString() }
  await change({ updateAsked: { ...asked, again: true } })
  await reconciler.reconcile(toolboxId, AbortSignal.timeout(5_000))
  await change({ updateAsked: { ...asked, attempt: 'two' } })
  await reconciler.reconcile(toolboxId, AbortSignal.timeout(5_000))
  expect(sent).toMatchObject([
    { attempt: 'one', release: { version: '0.2.0', again: 'one' } },
    { attempt: 'two', release: { version: '0.2.0' } },
  ])
  expect(sent[1]!.release).not.toHaveProperty('again')
})

const box: RedeployFacts = {
  id: toolboxId,
  name: 'alpha',
  provider: 'join',
  status: 'active',
  desired: 'present',
  dtmaVersion: '1.0.0',
  installation: null,
}

test.each<[string, Partial<RedeployFacts>, object]>([
  ['has it', {}, { version: '1.0.0', again: true }],
  ['has an older one', { dtmaVersion: '0.9.0' }, { version: '1.0.0', again: false }],
  [
    'is a service, with a version of its own',
    { installation: 'service', dtmaVersion: '2.0.0' },
    { version: '2.0.0', again: true },
  ],
  ['has a later one', { dtmaVersion: '1.0.1' }, { refusal: expect.stringContaining('1.0.0 is older') }],
  ['was never heard', { dtmaVersion: null }, { refusal: expect.stringContaining('agentopia toolbox join alpha') }],
  [
    'is away, reached by SSH',
    { provider: 'ssh', status: 'unresponsive' },
    { refusal: expect.stringContaining('push alpha --action update') },
  ],
  [
    'is away, a droplet',
    { provider: 'digitalocean', status: 'unresponsive' },
    { refusal: expect.stringContaining('rebuild alpha') },
  ],
  [
    'is this machine',
    { provider: 'local' },
    { refusal: expect.stringContaining(`docker rm --force agentopia-dtma-${toolboxId}`) },
  ],
  ['is on its way out', { desired: 'absent' }, { refusal: expect.stringContaining('on its way out') }],
])('a toolbox that %s', (_, more, redeployment) =>
  expect(redeploymentOf({ ...box, ...more }, { container: '1.0.0', service: '2.0.0' })).toEqual(redeployment),
)

test('a control plane that gives out no such DTMA says so', () =>
  expect(redeploymentOf(box, { service: '2.0.0' })).toEqual({ refusal: expect.stringContaining('gives out no DTMA') }))
