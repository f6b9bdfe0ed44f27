import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ToolSpec } from '../contract/tool.ts'
import { createDockerApi } from '../engine/docker.api.ts'
import { createEngineHttp } from '../engine/engine.http.ts'
import { dockerBridgeAddress } from './docker-bridge.testing.ts'
import type { Progress } from './pull-progress.ts'
import { PYTHON_IMAGE } from './python-base.ts'
import { openPythonIndex, type PythonIndex } from './python-index.testing.ts'
import { plainImages } from './tool-images.testing.ts'

const never = new AbortController().signal
const docker = createDockerApi(createEngineHttp('/var/run/docker.sock'))
const run = randomBytes(3).toString('hex')
const name = `server-${run}`
let index: PythonIndex
let images: ReturnType<typeof plainImages>
const built = new Set<string>()

beforeAll(async () => {
  index = await openPythonIndex(await dockerBridgeAddress(docker))
  images = plainImages(docker, { runnerBase: async () => '', owner: run, indexes: { npm: undefined, pypi: index.url } })
  const scripts = { [name]: 'served:main' }
  const harm = 'open("/tool/was-run", "w")\n'
  index.put({ name, version: '1.0', scripts, files: { 'served.py': `${harm}def main(): print("up")\n` } })
  index.put({ name: `many-${run}`, version: '1.0', scripts: { a: 'x:a', b: 'x:b' }, files: { 'x.py': '' } })
  index.put({ name: `none-${run}`, version: '1.0', scripts: {}, files: { 'y.py': '' } })
  index.put({ name: `needy-${run}`, version: '1.0', scripts, files: {}, requires: [`absent-${run}==1`] })
})
afterAll(async () => {
  for (const tag of built) await images.remove(tag, never)
  await index.close()
})

const toolOf = (pkg: object) => ({
  spec: ToolSpec.parse({ package: { type: 'pypi', version: '1.0', ...pkg }, transport: { type: 'stdio' } }),
})
const make = async (pkg: object, heard: Progress[] = []) => {
  const tag = await images.make(toolOf(pkg), (progress) => heard.push(progress), never)
  built.add(tag)
  return tag
}

test('a Python package becomes an image once, is found from then on, and ran nothing to be built', async () => {
  const heard: Progress[] = []
  const tag = await make({ name }, heard)
  expect(heard.map(({ step }) => step)).toContain('Installing the package')
  expect(await make({ name })).toBe(tag)
  expect(index.fetched.wheels).toBe(1)
  const { reference, details } = (await images.find(toolOf({ name }), never))!
  expect(reference).toBe(tag)
  expect(details.Config).toMatchObject({ Entrypoint: ['python3', '-su', '/tool/entry.py'], WorkingDir: '/tool' })
  expect(await filesIn(tag)).toEqual(expect.arrayContaining(['tool/entry.py', 'tool/packages/served.py']))
  expect(await filesIn(tag)).not.toContain('tool/was-run')
})

test.each([
  ['a version that the index does not have', { name, version: '9.9' }, 'package_not_found', /no such version/],
  ['a package that nobody has', { name: `nobody-${run}` }, 'package_not_found', /no such version/],
  ['something that it needs and nobody has', { name: `needy-${run}` }, 'package_not_found', /depends on/],
  ['no command', { name: `none-${run}` }, 'build_failed', /has no command/],
  ['several commands', { name: `many-${run}` }, 'build_failed', /name one of: a, b/],
  ['another command', { name: `many-${run}`, bin: 'c' }, 'build_failed', /no command named c; it has: a, b/],
] as const)('a package with %s fails with the reason', async (_, pkg, reason, message) => {
  await expect(make(pkg)).rejects.toMatchObject({ reason, lasting: true, message: expect.stringMatching(message) })
})

test('an index that does not answer is named as such', async () => {
  const lost = plainImages(docker, {
    runnerBase: async () => '',
    indexes: { npm: undefined, pypi: index.url.replace(/:\d+/, ':9') },
  })
  await expect(lost.make(toolOf({ name }), () => undefined, never)).rejects.toMatchObject({
    reason: 'registry_unreachable',
    lasting: false,
  })
})

/** Paths in the image, from a container that is never started. */
async function filesIn(image: string): Promise<string[]> {
  const { execFileSync } = await import('node:child_process')
  const id = execFileSync('docker', ['create', image], { encoding: 'utf8' }).trim()
  try {
    const listed = execFileSync('sh', ['-c', 'docker export "$0" | tar -t', id], {
      encoding: 'utf8',
      maxBuffer: 64 << 20,
    })
    return listed.split('\n')
  } finally {
    execFileSync('docker', ['rm', id])
  }
}

test('the image that Python packages are built on is there', async () => {
  expect(await docker.inspectImage(PYTHON_IMAGE, never)).toBeDefined()
})
