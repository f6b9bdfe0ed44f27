import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { pack } from 'tar-stream'
import { afterAll, expect, test } from 'vitest'
import { ToolSpec } from '../contract/tool.ts'
import { createDockerApi } from '../engine/docker.api.ts'
import { createEngineHttp } from '../engine/engine.http.ts'
import { NO_IMAGE_SOURCES } from './image-sources.ts'
import type { Progress } from './pull-progress.ts'
import { described, digestOf, layerOf } from './registry.testing.ts'
import { plainImages } from './tool-images.testing.ts'

const never = new AbortController().signal
const docker = createDockerApi(createEngineHttp('/var/run/docker.sock'))
const run = randomBytes(4).toString('hex')
const archives = new Map<string, () => Readable>()
const images = plainImages(docker, {
  runnerBase: async () => '',
  sources: {
    ...NO_IMAGE_SOURCES,
    archive: async (digest) => ({ body: archives.get(digest)!(), bytes: undefined }),
  },
})
const loaded = new Set<string>()
afterAll(async () => {
  for (const reference of loaded) await images.remove(reference, never)
})

/** What `docker save` makes of a small image. @param name The name that it brings along. */
async function saved(name: string): Promise<Buffer> {
  const layer = await layerOf({ [`file-${run}`]: randomBytes(50_000).toString('hex') })
  const { config } = described({ config: { Entrypoint: [`/file-${run}`], User: '0' }, layers: [layer] })
  const tar = pack()
  tar.entry({ name: 'config.json' }, config)
  tar.entry({ name: 'layer.tar' }, layer)
  tar.entry(
    { name: 'manifest.json' },
    JSON.stringify([{ Config: 'config.json', RepoTags: [name], Layers: ['layer.tar'] }]),
  )
  tar.finalize()
  return Buffer.concat(await Readable.from(tar).toArray())
}

const toolOf = (archive: string) => ({
  spec: ToolSpec.parse({
    package: { type: 'oci', image: 'mine/server:1.0', archive },
    transport: { type: 'stdio' },
  }),
})
const give = (bytes: Buffer, digest = digestOf(bytes)): string => {
  archives.set(digest, () => Readable.from([bytes.subarray(0, 60_000), bytes.subarray(60_000)]))
  return digest
}

test('an image comes out of an archive, under a name of ours and no other', async () => {
  const own = `loaded-${run}:latest`
  const archive = give(await saved(own))
  const tool = toolOf(archive)
  expect(await images.find(tool, never)).toBeUndefined()
  const heard: Progress[] = []
  loaded.add(await images.make(tool, (progress) => heard.push(progress), never))
  expect(heard).toContainEqual({ step: 'Loading the image' })

  const found = await images.find(tool, never)
  expect(found!.reference).toBe(`agentopia-archive:${archive.slice(7)}`)
  expect(found!.details.RepoTags).toEqual([found!.reference])
  expect(await docker.inspectImage(own, never)).toBeUndefined()
})

test('U02 an archive that was altered on its way is refused, and nothing of it is loaded', async () => {
  const good = await saved('x:1')
  const bad = Buffer.from(good)
  bad[good.length >> 1]! ^= 1
  const tool = toolOf(give(bad, digestOf(good)))
  await expect(images.make(tool, () => undefined, never)).rejects.toMatchObject({
    reason: 'image_invalid',
    lasting: true,
    message: 'The archive is not the one of this digest',
  })
  expect(await images.find(tool, never)).toBeUndefined()
})

test('what is no image is refused with the words of whoever noticed', async () => {
  const tool = toolOf(give(Buffer.from('this is no archive')))
  await expect(images.make(tool, () => undefined, never)).rejects.toMatchObject({ reason: 'image_invalid' })
})

test('a load is given up at once when nobody wants it any more', async () => {
  const bytes = await saved('x:2')
  const digest = digestOf(bytes)
  archives.set(digest, () =>
    Readable.from(
      (async function* () {
        yield bytes.subarray(0, 10_000)
        await new Promise(() => undefined)
      })(),
    ),
  )
  const stop = new AbortController()
  const work = images.make(
    toolOf(digest),
    ({ step }) => step === 'Loading the image' && stop.abort(new Error('enough')),
    stop.signal,
  )
  await expect(work).rejects.toThrow('enough')
})
