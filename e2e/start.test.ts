import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getMe, listToolboxes } from '@agentopia/api'
import { afterEach, describe, expect, it } from 'vitest'
import { freePort, runProgram, startProduct, waitFor } from './product.ts'

const NO_TOOLBOX = { LOCAL_TOOLBOX: 'off' }
const leftovers: (() => void)[] = []
afterEach(() => {
  for (const remove of leftovers.splice(0).reverse()) remove()
})

function freshDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'agentopia-start-'))
  leftovers.push(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

const refused = (env: Readonly<Record<string, string>>) => runProgram([], { ...NO_TOOLBOX, ...env })

describe('a start that cannot be', () => {
  it('exits with 78 and one line per wrong variable, never with a value', async () => {
    const env = { PORT: 'canary-port', MASTER_KEY: 'canary-key', DATABASE_URL: 'canary-url', DATA_DIR: freshDir() }
    const { code, stderr, stdout } = await refused(env)
    expect(code).toBe(78)
    const lines = stderr.split('\n').filter((line) => /^[A-Z_]+:/.test(line))
    expect(lines.map((line) => line.split(':')[0])).toEqual(['PORT', 'DATABASE_URL', 'MASTER_KEY'])
    expect(stderr).toContain('docs/configuration.md')
    expect(stdout + stderr).not.toContain('canary')
  })

  it('names a taken port and touches nothing', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    leftovers.push(() => other.close())
    const { port } = other.address() as { port: number }
    const dir = join(freshDir(), 'never-made')
    const { code, stderr } = await refused({ PORT: String(port), DATA_DIR: dir })
    expect(code).toBe(1)
    expect(stderr).toContain(`The port ${port} is in use by another program`)
    expect(stderr).toContain('set PORT')
    expect(existsSync(dir)).toBe(false)
  })

  it('refuses a data directory that another control plane uses, and leaves that one alone', async () => {
    await using product = await startProduct(NO_TOOLBOX)
    const { code, stderr } = await refused({ DATA_DIR: product.dataDir, PORT: String(await freePort()) })
    expect(code).not.toBe(0)
    expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(3)
    expect(stderr).toMatch(/data directory|in use|another/i)
    expect((await product.client.call(getMe, {})).role).toBe('admin')
  })

  it('says that a directory is not one', async () => {
    const file = join(freshDir(), 'file')
    writeFileSync(file, '')
    const { code, stderr } = await refused({ DATA_DIR: file, PORT: String(await freePort()) })
    expect(code).toBe(1)
    expect(stderr).toContain('in the way')
  })

  it('says that the disk is full, and starts on the same directory once there is room', async () => {
    const disk = freshDir()
    const dir = join(disk, 'data')
    const mount = (size: string, ...more: string[]) =>
      execFileSync('mount', ['-t', 'tmpfs', '-o', [`size=${size}`, ...more].join(','), 'tmpfs', disk])
    mount('8m')
    leftovers.push(() => execFileSync('umount', ['--lazy', disk]))
    const { code, stderr } = await refused({ DATA_DIR: dir, PORT: String(await freePort()) })
    expect(code).toBe(1)
    expect(stderr).toContain('The disk is full')
    expect(stderr).toContain('nothing was damaged')
    mount('512m', 'remount')
    await using product = await startProduct({ ...NO_TOOLBOX, DATA_DIR: dir })
    expect((await product.client.call(getMe, {})).role).toBe('admin')
  })

  it('knows its commands', async () => {
    const { code, stderr } = await runProgram(['dance'], { DATA_DIR: freshDir() })
    expect(code).toBe(1)
    expect(stderr).toContain('start, stop, sign-in-link')
  })
})

describe('a start', () => {
  it('keeps everything over a clean stop, a kill and another start', async () => {
    await using product = await startProduct(NO_TOOLBOX)
    expect(await product.stop()).toBe(0)
    await product.start()
    await product.kill()
    await product.start()
    expect((await product.client.call(getMe, {})).role).toBe('admin') // the token of the first start
  })

  it('serves when Docker is missing, and says what to do about it', async () => {
    await using product = await startProduct({ DOCKER_SOCKET: join(freshDir(), 'no-docker.sock') })
    const local = await waitFor('the toolbox does not say why', 30_000, async () => {
      const { items } = await product.client.call(listToolboxes, { query: {} })
      return items.find(({ status }) => status === 'error_provisioning')
    })
    expect(local.statusReason).toContain('no-docker.sock')
  })
})
