import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { extract, type Header, pack } from 'tar-stream'
import { expect, test } from 'vitest'
import { asLoaded } from './image-archive.ts'

type Entry = readonly [header: Partial<Header> & Pick<Header, 'name'>, text?: string]

const MANIFEST = [{ Config: 'c.json', RepoTags: ['node:24-slim'], Layers: ['l/layer.tar'] }]
const image = (manifest: unknown = MANIFEST, more: readonly Entry[] = []): readonly Entry[] => [
  [{ name: 'manifest.json' }, JSON.stringify(manifest)],
  [{ name: 'c.json' }, '{"os":"linux"}'],
  [{ name: 'l', type: 'directory' }],
  [{ name: 'l/layer.tar' }, 'x'.repeat(100_000)],
  ...more,
]

async function archiveOf(entries: readonly Entry[]): Promise<Buffer> {
  const tar = pack()
  for (const [header, text] of entries) tar.entry(header, text ?? '')
  tar.finalize()
  return Buffer.concat(await Readable.from(tar).toArray())
}

const digestOf = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
const inPieces = (bytes: Buffer) =>
  Readable.from(
    Array.from({ length: Math.ceil(bytes.length / 1_000) }, (_, i) => bytes.subarray(i * 1_000, (i + 1) * 1_000)),
  )

/** What Docker would be given: names and texts, in order. */
async function seen(bytes: Buffer, digest = digestOf(bytes)): Promise<[string, string][]> {
  const tar = asLoaded(inPieces(bytes), { digest, reference: 'agentopia-archive:1' })
  const entries = extract()
  const found: [string, string][] = []
  const reading = (async () => {
    for await (const entry of entries) {
      const chunks: Buffer[] = []
      for await (const chunk of entry as AsyncIterable<Buffer>) chunks.push(chunk)
      found.push([entry.header.name, Buffer.concat(chunks).toString()])
    }
  })()
  const whole = Buffer.concat(await tar.toArray())
  entries.end(whole)
  await reading
  return found
}

test.each([
  ['as it is', (bytes: Buffer) => bytes],
  ['compressed', (bytes: Buffer) => gzipSync(bytes)],
])('an archive %s gets one name of ours, in a manifest that comes last', async (_, form) => {
  const entries = await seen(form(await archiveOf(image())))
  expect(entries.map(([name]) => name)).toEqual(['c.json', 'l', 'l/layer.tar', 'manifest.json'])
  expect(JSON.parse(entries.at(-1)![1])).toEqual([
    { Config: 'c.json', Layers: ['l/layer.tar'], RepoTags: ['agentopia-archive:1'] },
  ])
})

test('U02 an archive of another digest never gets the manifest without which Docker loads nothing', async () => {
  await expect(seen(await archiveOf(image()), `sha256:${'0'.repeat(64)}`)).rejects.toThrow('not the one of this digest')
})

test('what says a second time what is in the archive is left out', async () => {
  const more: Entry[] = ['index.json', 'oci-layout', 'repositories'].map((name) => [{ name }, '{"node":{}}'])
  expect((await seen(await archiveOf(image(MANIFEST, more)))).map(([name]) => name)).not.toContain('index.json')
})

test.each(['./', '', './/', '././'])('nor by another spelling of its name: %sindex.json', async (prefix) => {
  // Docker's containerd store cleans names, and hears an OCI layout before the manifest: with the names of images that it likes.
  const more: Entry[] = ['index.json', 'oci-layout', 'repositories', 'manifest.json'].map((name) => [
    { name: `${prefix}${name}` },
    name === 'manifest.json' ? JSON.stringify([{ Config: './c.json', Layers: ['l//layer.tar'] }]) : '{"node":{}}',
  ])
  const entries = await seen(await archiveOf(image(MANIFEST, [...more, [{ name: './', type: 'directory' }]])))
  expect(entries.map(([name]) => name)).toEqual(['c.json', 'l', 'l/layer.tar', 'manifest.json'])
  expect(JSON.parse(entries.at(-1)![1])).toEqual([
    { Config: 'c.json', Layers: ['l/layer.tar'], RepoTags: ['agentopia-archive:1'] },
  ])
})

const link = (type: Header['type'], name: string, linkname: string): Entry => [{ name, type, linkname }]

test('a layer that is there once and linked to twice stays so', async () => {
  const names = (await seen(await archiveOf(image(MANIFEST, [link('symlink', 'm/layer.tar', '../l/layer.tar')])))).map(
    ([name]) => name,
  )
  expect(names).toContain('m/layer.tar')
})

test.each([
  ['two images', image([...MANIFEST, ...MANIFEST]), /exactly one image/],
  ['no image', image([]), /exactly one image/],
  ['a manifest that is no JSON', [[{ name: 'manifest.json' }, '{']] as Entry[], /manifest/],
  ['no manifest', image().slice(1), /no manifest\.json/],
  ['a name that leads out', image(MANIFEST, [[{ name: '../etc/passwd' }, 'x']]), /leads out/],
  ['an absolute name', image(MANIFEST, [[{ name: '/etc/passwd' }, 'x']]), /leads out/],
  ['a link that leads out', image(MANIFEST, [link('symlink', 'l/x', '../../etc')]), /no archive of an image/],
  ['a device', image(MANIFEST, [[{ name: 'd', type: 'character-device' }]]), /no archive of an image/],
  ['a configuration elsewhere', image([{ ...MANIFEST[0], Config: '../c' }]), /leads out/],
])('an archive with %s is refused', async (_, entries, message) => {
  await expect(seen(await archiveOf(entries))).rejects.toThrow(message)
})

test('what is no archive at all, or was cut off, is refused', async () => {
  const bytes = await archiveOf(image())
  await expect(seen(Buffer.from('hello'))).rejects.toThrow('The archive')
  await expect(seen(Buffer.alloc(0))).rejects.toThrow('The archive')
  await expect(seen(gzipSync(bytes).subarray(0, 200))).rejects.toThrow('cannot be read')
  await expect(seen(bytes.subarray(0, 50_000))).rejects.toThrow('The archive')
})
