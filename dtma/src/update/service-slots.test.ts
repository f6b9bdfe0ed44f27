import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { until } from '../dtma-process.testing.ts'
import { createLog } from '../log.ts'
import { createPrograms } from './programs.ts'
import { serviceSlots } from './service-slots.ts'
import { runSwitcher } from './switcher.ts'
import { createTrial } from './trial.ts'
import { type UpdateJournal, updateFiles } from './update.journal.ts'

// The switcher of a service, with real processes: the present version is whoever starts when it ends.

const log = createLog({ level: 'error', write: () => undefined, date: () => new Date() })
const NAME = '2.0.0-0123456789ab'
let directory = ''
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dtma-service-'))
})
afterEach(() => rm(directory, { recursive: true }))

const journal: UpdateJournal = {
  attempt: 'a',
  version: '2.0.0',
  from: '1.0.0',
  phase: 'switching',
  since: '2026-01-01T00:00:00.000Z',
  release: { manifest: '{}', signature: '' },
  tries: 1,
  switch: { program: NAME },
}

/** @param program What the new version does; absent: somebody has removed it. */
async function world(program: string | undefined, begun: Partial<UpdateJournal> = {}) {
  const files = updateFiles(directory)
  const programs = createPrograms(directory)
  if (program !== undefined) {
    await writeFile(files.archive, gzipSync(`// agentopia-dtma 2.0.0\n${program}`))
    await programs.add(files.archive, NAME, '2.0.0')
  }
  await files.journal.write({ ...journal, ...begun })
  const proven = () => files.proof.write({ attempt: 'a', heard: true, docker: true, isolation: true })
  /** One life of the switcher. */
  async function life(signal: AbortSignal = AbortSignal.timeout(20_000), now = () => performance.now()) {
    const trial = createTrial({ log, restartMs: 20, graceMs: 2_000 })
    const slots = serviceSlots({ programs, name: NAME, trial, command: (file) => [process.execPath, file] })
    try {
      const wait = (ms: number, aborted: AbortSignal) =>
        sleep(Math.min(ms, 20), undefined, { signal: aborted }).catch(() => undefined)
      return await runSwitcher({ files, slotsOf: () => slots, log, now, date: () => new Date(), sleep: wait }, signal)
    } finally {
      await trial.stop()
      expect(trial.slot.state).toBe('stopped')
    }
  }
  return { files, programs, proven, life }
}

const WORKS = 'setInterval(() => {}, 1_000)\n'

test('one that proves itself is the current one from then on', async () => {
  const { programs, proven, life } = await world(WORKS)
  const ended = life()
  await proven()
  expect(await ended).toMatchObject({ phase: 'done' })
  expect(await programs.current()).toBe(NAME)
})

test('U04 one that ends again and again falls back with the reason, and is taken away', async () => {
  const { programs, life } = await world('process.exit(3)\n')
  expect(await life()).toMatchObject({ phase: 'fell_back', reason: 'crash_loop' })
  expect([await programs.current(), await programs.has(NAME)]).toEqual([undefined, false])
})

test('U04 one that does not prove itself falls back when its time is over', async () => {
  const { programs, life } = await world(WORKS)
  let hours = 0
  expect(await life(undefined, () => (hours += 10_000))).toMatchObject({ phase: 'fell_back', reason: 'does_not_start' })
  expect(await programs.has(NAME)).toBe(false)
})

test.each(['switching', 'proving', 'accepted'] as const)(
  'U03 when somebody removes the new program while it is %s, the old one is started',
  async (phase) => {
    const { programs, life } = await world(undefined, { phase })
    expect(await life()).toMatchObject({ phase: 'fell_back' })
    expect(await programs.current()).toBeUndefined()
  },
)

test('U03 the switcher is killed on the way, again and again: the next one goes on to the end', async () => {
  const { files, programs, proven, life } = await world(WORKS)
  for (const ms of [1, 5, 20, 60, 150]) await life(AbortSignal.timeout(ms))
  await until(async () => ['switching', 'proving'].includes((await files.journal.read())!.phase), 1_000)
  await proven()
  expect(await life()).toMatchObject({ phase: 'done' })
  expect(await programs.current()).toBe(NAME)
  expect(await life()).toMatchObject({ phase: 'done' }) // it is over: nothing happens any more
})
