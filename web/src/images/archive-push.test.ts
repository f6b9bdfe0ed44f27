import { type ImageArchive, MOST_ARCHIVE_BYTES, MOST_PART_BYTES, problem } from '@agentopia/api'
import { expect, test } from 'vitest'
import { Unreachable } from '../api/unreachable.ts'
import {
  type ArchiveRoad,
  type ArchiveSource,
  MOST_IN_VAIN,
  PART_BYTES,
  type PushStep,
  pushArchive,
} from './archive-push.ts'

const DIGEST = `sha256:${'a'.repeat(64)}`
/** Two whole parts and a rest. */
const SIZE = 2 * PART_BYTES + 5
const DATA = Buffer.from(Uint8Array.from({ length: SIZE }, (_, at) => at % 251))
const lost = () => new Unreachable('Failed to fetch')

/** A control plane in memory, which keeps what arrives. `answers` break in: before what was asked is done, or after. */
function controlPlane(kept = 0, partMs = 2_000) {
  let bytes = DATA.subarray(0, kept)
  const asked: string[] = []
  const pauses: number[] = []
  const breaks: { before?: Error; after?: Error; meanwhile?: number }[] = []
  const view = (): ImageArchive => ({
    digest: DIGEST,
    size: SIZE,
    received: bytes.length,
    state: bytes.length === SIZE ? 'ready' : 'receiving',
    createdAt: '2026-01-01T00:00:00.000Z',
  })
  async function answer(what: string, effect: () => void | Promise<void>): Promise<ImageArchive> {
    asked.push(what)
    const { before, after, meanwhile } = breaks.shift() ?? {}
    if (before) throw before
    if (meanwhile !== undefined) bytes = DATA.subarray(0, meanwhile)
    await effect()
    if (after) throw after
    return view()
  }
  const road: ArchiveRoad = {
    begin: (whole) => answer(`begin ${whole.size}`, () => {}),
    append: ({ offset }, part) =>
      answer(`${offset}+${part.size}`, async () => {
        if (offset !== bytes.length) throw problem('wrong-offset', `${bytes.length} bytes are here`)
        bytes = Buffer.concat([bytes, await part.bytes()])
      }),
    pause: async (ms) => void pauses.push(ms),
    random: () => 0.5,
    now: () => (time += partMs),
  }
  let time = 0
  return { road, asked, pauses, breaks, holdsAll: () => bytes.equals(DATA) }
}

const source: ArchiveSource = {
  name: 'server.tar',
  size: SIZE,
  digest: async (onRead) => {
    onRead(SIZE)
    return DIGEST
  },
  read: async (offset, length) => new Blob([DATA.subarray(offset, offset + length)]),
}
const push = (road: ArchiveRoad, given: Partial<ArchiveSource> = {}, onStep: (step: PushStep) => void = () => {}) =>
  pushArchive({ ...source, ...given }, road, onStep, new AbortController().signal)

test('an archive is read, announced and sent in parts, and says how far it is', async () => {
  const { road, asked, holdsAll } = controlPlane()
  const steps: PushStep[] = []
  expect(await push(road, {}, (step) => steps.push(step))).toMatchObject({ state: 'ready', received: SIZE })
  expect(asked).toEqual([`begin ${SIZE}`, `0+${PART_BYTES}`, `${PART_BYTES}+${PART_BYTES}`, `${2 * PART_BYTES}+5`])
  expect(holdsAll()).toBe(true)
  expect(steps).toEqual([
    { phase: 'reading', bytes: 0 },
    { phase: 'reading', bytes: SIZE },
    { phase: 'sending', bytes: 0 },
    { phase: 'sending', bytes: PART_BYTES },
    { phase: 'checking', bytes: 2 * PART_BYTES },
  ])
})

test('on a fast line the parts grow up to what one may be; after a break they begin small again', async () => {
  const size = 20 * PART_BYTES
  const lengths: number[] = []
  let received = 0
  let failures = 1
  const { road } = controlPlane(0, 1)
  const view = () =>
    ({
      digest: DIGEST,
      size,
      received,
      state: received === size ? 'ready' : 'receiving',
      createdAt: '',
    }) as ImageArchive
  const fast: ArchiveRoad = {
    ...road,
    begin: async () => view(),
    append: async (_, part) => {
      if (received === 7 * PART_BYTES && failures-- > 0) throw lost()
      lengths.push(part.size / PART_BYTES)
      received += part.size
      return view()
    },
  }
  await push(fast, { size, read: async (_, length) => new Blob([new Uint8Array(length)]) })
  expect(lengths).toEqual([1, 2, 4, 1, 2, 4, 4, 2])
  expect(Math.max(...lengths) * PART_BYTES).toBe(MOST_PART_BYTES)
})

test('what arrived in an earlier attempt is not sent again', async () => {
  const { road, asked, holdsAll } = controlPlane(PART_BYTES + 7)
  await push(road)
  expect(asked).toEqual([`begin ${SIZE}`, `${PART_BYTES + 7}+${PART_BYTES - 2}`])
  expect(holdsAll()).toBe(true)
})

test('an archive that is here already is not sent at all', async () => {
  const { road, asked } = controlPlane(SIZE)
  expect(await push(road)).toMatchObject({ state: 'ready' })
  expect(asked).toEqual([`begin ${SIZE}`])
})

test.each([
  ['before a part arrived', { before: lost() }, 0],
  ['when its answer was lost', { after: lost() }, PART_BYTES],
  ['in time', { before: new DOMException('', 'TimeoutError') }, 0],
  ['because another page was faster', { meanwhile: PART_BYTES + 1 }, PART_BYTES + 1],
])('a line that breaks %s is waited for, and the control plane asked where to go on', async (_, broken, from) => {
  const { road, asked, breaks, pauses, holdsAll } = controlPlane()
  const steps: PushStep[] = []
  breaks.push({}, broken)
  await push(road, {}, (step) => steps.push(step))
  expect(asked.slice(0, 4)).toEqual([`begin ${SIZE}`, `0+${PART_BYTES}`, `begin ${SIZE}`, expect.any(String)])
  expect(asked[3]).toMatch(new RegExp(`^${from}\\+`))
  expect(pauses).toEqual([1_000])
  expect(steps).toContainEqual({ phase: 'waiting', bytes: 0 })
  expect(holdsAll()).toBe(true)
})

test('it gives up when nothing more arrives, and waits longer each time before', async () => {
  const { road, breaks, pauses } = controlPlane()
  breaks.push({}, {}, ...Array.from({ length: 50 }, () => ({ before: lost() })))
  await expect(push(road)).rejects.toThrow('Failed to fetch')
  expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 15_000])
  expect(pauses).toHaveLength(MOST_IN_VAIN)
})

test('a line that breaks again and again, but carries something between, is not given up', async () => {
  const { road, breaks, pauses, holdsAll } = controlPlane()
  const each = [{}, { after: lost() }] // a part arrives, and is known to have by the next question
  breaks.push(...each, ...each, ...each)
  await push(road)
  expect(pauses).toEqual([1_000, 1_000, 1_000])
  expect(holdsAll()).toBe(true)
})

test.each([
  ['what the control plane refuses', problem('image-limit', 'no more')],
  ['an answer that it does not understand', new Error('not an answer')],
])('%s ends it at once', async (_, refusal) => {
  const { road, breaks, asked } = controlPlane()
  breaks.push({}, { before: refusal })
  await expect(push(road)).rejects.toBe(refusal)
  expect(asked).toHaveLength(2)
})

test.each([
  ['is empty', { size: 0 }, 'is empty'],
  ['is larger than an archive may be', { size: MOST_ARCHIVE_BYTES + 1 }, 'larger than 4 GiB'],
])('a file that %s is not even read', async (_, given, words) => {
  const { road, asked } = controlPlane()
  const digest = () => expect.unreachable('it was read')
  await expect(push(road, { ...given, digest })).rejects.toMatchObject({
    code: 'invalid-image',
    message: expect.stringContaining(words),
  })
  expect(asked).toEqual([])
})

test.each([
  ['becomes shorter', async () => new Blob(['abc']), 'became shorter'],
  ['is removed', () => Promise.reject(new DOMException('', 'NotReadableError')), 'cannot be read any more'],
])('a file that %s while it is sent is told as such', async (_, read, words) => {
  const { road } = controlPlane()
  await expect(push(road, { read })).rejects.toMatchObject({
    code: 'invalid-image',
    message: expect.stringContaining(words),
  })
})

test('who cancels is obeyed before the next part', async () => {
  const { road, asked } = controlPlane()
  const leaving = new AbortController()
  const append: ArchiveRoad['append'] = async (...given) => {
    leaving.abort()
    return road.append(...given)
  }
  await expect(pushArchive(source, { ...road, append }, () => {}, leaving.signal)).rejects.toMatchObject({
    name: 'AbortError',
  })
  expect(asked).toEqual([`begin ${SIZE}`, `0+${PART_BYTES}`])
})
