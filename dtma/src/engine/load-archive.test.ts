import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { loadArchive } from './load-archive.ts'

const load = (...lines: readonly object[]) => {
  const docker = { loadImage: () => Readable.from(lines) as AsyncIterable<object> as never }
  return loadArchive(docker, Readable.from([]), new AbortController().signal)
}

test.each([
  ['Loaded image: agentopia-dtma:latest\n', 'agentopia-dtma:latest'],
  ['Loaded image ID: sha256:abc\n', 'sha256:abc'],
])('%j names the image', async (stream, reference) => {
  expect(await load({ stream: 'Loading layer\n' }, { stream })).toBe(reference)
})

test('an archive without an image names none', async () => {
  expect(await load({ stream: 'Loading layer\n' })).toBeUndefined()
})

test.each([
  ['write /blob: no space left on device', 'disk-full'],
  ['unexpected EOF', 'invalid'],
  ['invalid archive: does not contain a manifest.json', 'invalid'],
])('Docker says %j in the middle of it: %s', async (error, fault) => {
  await expect(load({ stream: 'Loading layer\n' }, { error })).rejects.toMatchObject({ fault })
})
