import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { pack } from 'tar-stream'
import { afterAll, expect, test } from 'vitest'
import { createDockerApi } from '../engine/docker.api.ts'
import { createEngineHttp } from '../engine/engine.http.ts'
import { createLog } from '../log.ts'
import { systemClock } from '../uplink/clock.ts'
import { clearLeftovers } from './leftovers.ts'
import { contextOf } from './package-image.ts'

const BASE = process.env['DTMA_RUNNER_IMAGE'] ?? 'node:24-slim'
const docker = createDockerApi(createEngineHttp('/var/run/docker.sock'))
const { signal } = new AbortController()
const owner = randomBytes(16).toString('hex')
const run = owner.slice(0, 6)
let foreign: string | undefined
const log = createLog({ level: 'error', write: () => undefined, date: () => new Date() })

afterAll(async () => {
  for (const image of [`leftover-${run}:kept`, `foreign-${run}:1`, foreign])
    if (image !== undefined) await docker.removeImage(image, signal)
  await docker.removeNetwork(`kept-${run}`, signal)
  await docker.removeNetwork(`foreign-${run}`, signal)
})

async function build(tag: string): Promise<void> {
  const tar = pack()
  tar.entry({ name: 'Dockerfile' }, `FROM ${BASE}\nLABEL dtma.owner=${owner}\nLABEL which=${tag.replace(':', '-')}\n`)
  tar.finalize()
  for await (const line of docker.buildImage(tag, Readable.from(tar), signal)) expect(line.error).toBeUndefined()
}

test('D16: images and networks of ours that no tool uses are cleared away; what is used, and what is not ours, stays', async () => {
  for (const tag of [`leftover-${run}:kept`, `leftover-${run}:unused`]) await build(tag)
  for (const name of [`kept-${run}`, `unused-${run}`])
    await docker.createIsolatedNetwork(name, { 'dtma.owner': owner }, signal)
  await docker.createIsolatedNetwork(`foreign-${run}`, { 'dtma.owner': 'somebody' }, signal)

  const inUse = () => ({ images: new Set([`leftover-${run}:kept`]), networks: new Set([`kept-${run}`]) })
  const deps = { docker, owner, isBuilding: () => false, inUse, log, sleep: systemClock.sleep, signal }
  expect(await clearLeftovers(deps)).toEqual([`leftover-${run}:unused`, `unused-${run}`])
  expect(await clearLeftovers(deps)).toEqual([])
  expect(await docker.inspectImage(`leftover-${run}:kept`, signal)).toBeDefined()
  expect(await docker.inspectNetwork(`foreign-${run}`, signal)).toBeDefined()
})

test('what a build leaves that fails at its last step is cleared away with the stage before, once nothing is built; what it was built on stays', async () => {
  const files = {
    Dockerfile: [
      `FROM ${BASE} AS stage`,
      `RUN echo ${run} >/${run}`,
      `FROM ${BASE}`,
      `COPY --from=stage /${run} /${run}`,
      'RUN exit 3',
      '',
    ].join('\n'),
  }
  foreign = await unnamed(`FROM ${BASE}\nLABEL dtma.owner=somebody-${run}\n`)
  const base = await docker.inspectImage(BASE, signal)
  const context = contextOf({ tag: `failing-${run}:1`, files }, owner)
  const errors: unknown[] = []
  for await (const { error } of docker.buildImage(`failing-${run}:1`, context, signal)) if (error) errors.push(error)
  expect(errors).toHaveLength(1)

  const label = `dtma.owner=${owner}`
  expect(await docker.listUnnamedImages(label, signal)).toHaveLength(2)
  const nothing = () => ({ images: new Set([`leftover-${run}:kept`]), networks: new Set([`kept-${run}`]) })
  const deps = { docker, owner, isBuilding: () => true, inUse: nothing, log, sleep: systemClock.sleep, signal }
  expect(await clearLeftovers(deps)).toEqual([])
  // One of each stage; what lies under both is under the image that is used, too.
  expect((await clearLeftovers({ ...deps, isBuilding: () => false })).length).toBeGreaterThanOrEqual(2)
  expect(await docker.listUnnamedImages(label, signal)).toEqual([])
  expect(await docker.inspectImage(BASE, signal)).toEqual(base)
  expect(await docker.inspectImage(foreign, signal)).toBeDefined()
})

/** Builds an image whose name another takes. @returns Its id. */
async function unnamed(dockerfile: string): Promise<string> {
  const ids: string[] = []
  for (const text of [dockerfile, `FROM ${BASE}\nLABEL which=other-${run}\n`]) {
    const tar = pack()
    tar.entry({ name: 'Dockerfile' }, text)
    tar.finalize()
    for await (const { error } of docker.buildImage(`foreign-${run}:1`, Readable.from(tar), signal))
      expect(error).toBeUndefined()
    ids.push((await docker.inspectImage(`foreign-${run}:1`, signal))!.Id)
  }
  return ids[0]!
}
