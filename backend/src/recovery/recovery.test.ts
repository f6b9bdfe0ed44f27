import { createEmulator } from '@agentopia/testbed/emulator'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { openTestControlPlane, signedIn } from '../control-plane.testing.ts'
import { newId } from '../new-id.ts'
import { QUARANTINE_MS } from '../providers/digitalocean/droplet.sweep.ts'
import { dropletScene } from '../providers/digitalocean/droplet.testing.ts'
import { environmentOf, environmentTag, PRODUCT_TAG, toolboxTag } from '../providers/digitalocean/droplet-names.ts'
import { manualClock } from '../reconcile/manual-clock.testing.ts'
import type { Store } from '../store/connect.ts'
import { toolboxes } from '../store/schema/index.ts'
import { openTestStore, restoredCopyOf } from '../store/testing.ts'
import { readDifferences } from './differences.ts'
import { endRecovery, noticeRestore, recoveringSince } from './recovery.store.ts'
import { watchRecovery } from './recovery.ts'

// A database is restored from a backup: what happened since is not known to it.

const open: Store[] = []
const keep = (store: Store): Store => {
  open.push(store)
  return store
}
afterEach(async () => {
  for (const store of open.splice(0).reverse()) await store[Symbol.asyncDispose]()
})

const notice = (store: Store, directory = '') => store.system((tx) => noticeRestore(tx, directory))

test('R07 a database that was restored elsewhere is known as such, once, until people end it; the one before is not', async () => {
  const store = keep(await openTestStore())
  expect([await notice(store), await notice(store)]).toEqual([undefined, undefined])
  const copy = keep(await restoredCopyOf(store))
  const since = await notice(copy)
  expect(since).toBeInstanceOf(Date)
  expect(await notice(copy)).toEqual(since)
  expect(await notice(store)).toBeUndefined()
  expect(await copy.system(endRecovery)).toBe(true)
  expect([await notice(copy), await copy.system(endRecovery)]).toEqual([undefined, false])
})

test('R07 a copied directory is another, though the database in it says the same of itself', async () => {
  const store = keep(await openTestStore())
  expect(await notice(store, '11')).toBeUndefined()
  expect(await notice(store, '11')).toBeUndefined()
  expect(await notice(store, '12')).toBeInstanceOf(Date)
})

test('R07 a restored control plane makes no droplet and destroys none, whatever it knows, until the recovery is ended', async () => {
  const clock = manualClock()
  const start = clock.now()
  const emulator = createEmulator({ now: () => start + clock.steady(), knobs: { bootMs: 5_000 } })
  const rootKey = Buffer.alloc(32, 7)
  const store = keep(await openTestStore())
  const first = await openTestControlPlane(clock, { store, fetch: emulator.fetch })
  const ann = await signedIn(first, 'account_r07', 'owner')
  const { userId: _, ...as } = ann
  const connected = await first.send('PUT', '/api/providers/digitalocean', as, { token: emulator.world.token })
  expect(connected.status).toBeLessThan(300)
  await first.end()
  await store.system((tx) =>
    tx.insert(toolboxes).values({
      id: newId('toolbox'),
      accountId: 'account_r07',
      name: 'asked-for',
      provider: 'digitalocean',
      status: 'pending_provision',
      placement: { region: 'nyc3', size: 's-1vcpu-1gb', image: 'debian-12-x64', monthlyUsd: 6 },
    }),
  )
  const copy = keep(await restoredCopyOf(store))

  // Since the backup there is a toolbox more.
  const tags = [PRODUCT_TAG, environmentTag(environmentOf(rootKey)), toolboxTag('toolbox_0000000000000000')]
  await emulator.fetch('http://digitalocean/v2/droplets', {
    method: 'POST',
    headers: { authorization: `Bearer ${emulator.world.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'since', region: 'nyc3', size: 's-1vcpu-1gb', image: 'debian-12-x64', tags }),
  })
  expect(emulator.world.droplets.size).toBe(1)
  const before = emulator.world.calls.length

  const restored = await openTestControlPlane(clock, { store: copy, fetch: emulator.fetch })
  const differences = () =>
    copy.system(async (tx) => {
      const since = await recoveringSince(tx)
      return since ? await readDifferences(tx, since) : []
    })
  for (let minute = 0; minute < 40; minute += 1) {
    await clock.advance(60_000)
    await copy.system((tx) => tx.execute('select 1')) // lets what was begun reach the database
  }
  await expect
    .poll(differences, { timeout: 10_000 })
    .toEqual([
      expect.stringMatching(/^The droplet \d+ is at DigitalOcean: no toolbox is known for it\. It stays\.$/),
      'The toolbox asked-for would be made, as was asked for, unless its droplet is there.',
    ])
  expect(emulator.world.calls.slice(before).filter((call) => !call.startsWith('GET '))).toEqual([])
  const told = await (await restored.request('GET', '/api/activity', as)).text()
  expect(told).toContain('The database was restored from a copy')
  const info = async () => (await (await restored.request('GET', '/api/info')).json()) as { recoveringSince?: string }
  expect(await info()).toMatchObject({ recoveringSince: expect.any(String) })

  await copy.system(endRecovery)
  await expect
    .poll(
      async () => {
        await clock.advance(5_000)
        return emulator.world.droplets.size
      },
      { timeout: 20_000 },
    )
    .toBe(2)
  expect(await info()).not.toHaveProperty('recoveringSince')
  await restored.end()
})

test('R07 a droplet that a restored database did not know is never destroyed by itself, also after the recovery; others are', async () => {
  const store = keep(await openTestStore())
  const { foreign, ownTags, sweep, clock, droplets, recovering } = await dropletScene(store)
  await foreign(ownTags('toolbox_0000000000000000'))
  recovering(true)
  for (let n = 0; n < 3; n += 1) {
    await sweep()
    await clock.advance(QUARANTINE_MS)
  }
  recovering(false)
  await foreign(ownTags('toolbox_1111111111111111'))
  for (let n = 0; n < 3; n += 1) {
    await sweep()
    await clock.advance(QUARANTINE_MS)
  }
  expect(droplets().map(({ tags }) => tags.at(-1))).toEqual([toolboxTag('toolbox_0000000000000000')])
})

test('R07 a recovery that is ended elsewhere is over here within seconds, and one that lasts holds back what waits for it', async () => {
  const store = keep(await openTestStore())
  await notice(store, '1')
  const clock = manualClock()
  const stop = new AbortController()
  const deps = { store, clock, log: pino({ level: 'silent' }), directory: '2', signal: stop.signal }
  const recovery = await watchRecovery(deps)
  let over = false
  void recovery.over.then(() => {
    over = true
  })
  await clock.advance(60_000)
  expect([over, recovery.since()]).toEqual([false, expect.any(Date)])
  await store.system(endRecovery)
  await expect
    .poll(async () => {
      await clock.advance(5_000)
      return over
    })
    .toBe(true)
  expect(recovery.since()).toBeUndefined()
  stop.abort()
})
