import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { pack } from 'tar-stream'
import { afterAll, expect, test } from 'vitest'
import { createDockerApi } from '../engine/docker.api.ts'
import { createEngineHttp } from '../engine/engine.http.ts'
import { createLog } from '../log.ts'
import { systemClock } from '../uplink/clock.ts'
import { clearLeftovers } from './leftovers.ts'

const BASE = process.env['DTMA_RUNNER_IMAGE'] ?? 'node:24-slim'
const docker = createDockerApi(createEngineHttp('/var/run/docker.sock'))
const { signal } = new AbortController()
const owner = randomBytes(16).toString('hex')
const run = owner.slice(0, 6)
const log = createLog({ level: 'error', write: () => undefined, date: () => new Date() })

afterAll(async () => {
  await docker.removeImage(`leftover-${run}:kept`, signal)
  await docker.removeNetwork(`kept-${run}`, signal)
  await docker.removeNetwork(`foreign-${run}`, signal)
})

async function build(tag: string): Promise<void> {
  const tar = pack()
  tar.entry({ name: 'Dockerfile' }, `FROM ${BASE}\nLABEL which=${tag.replace(':', '-')}\n`)
  tar.finalize()
  for await (const line of docker.buildImage(tag, Readable.from(tar), { 'dtma.owner': owner }, signal))
    expect(line.error).toBeUndefined()
}

test('D16: images and networks of ours that no tool uses are cleared away; what is used, and what is not ours, stays', async () => {
  for (const tag of [`leftover-${run}:kept`, `leftover-${run}:unused`]) await build(tag)
  for (const name of [`kept-${run}`, `unused-${run}`])
    await docker.createIsolatedNetwork(name, { 'dtma.owner': owner }, signal)
  await docker.createIsolatedNetwork(`foreign-${run}`, { 'dtma.owner': 'somebody' }, signal)

  const inUse = () => ({ images: new Set([`leftover-${run}:kept`]), networks: new Set([`kept-${run}`]) })
  const deps = { docker, owner, inUse, log, sleep: systemClock.sleep, signal }
  expect(await clearLeftovers(deps)).toEqual([`leftover-${run}:unused`, `unused-${run}`])
  expect(await clearLeftovers(deps)).toEqual([])
  expect(await docker.inspectImage(`leftover-${run}:kept`, signal)).toBeDefined()
  expect(await docker.inspectNetwork(`foreign-${run}`, signal)).toBeDefined()
})
