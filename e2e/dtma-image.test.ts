import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { docker } from './docker.ts'
import { freePort, waitFor } from './product.ts'

const IMAGE = 'agentopia-dtma:e2e'
const REPOSITORY = fileURLToPath(new URL('..', import.meta.url))

it('DTMA builds as the README says, starts with nothing set, answers /health and refuses the rest', async () => {
  await promisify(execFile)('docker', ['build', '-t', IMAGE, 'dtma/'], { cwd: REPOSITORY, timeout: 600_000 })
  const port = await freePort()
  const id = await docker('run', '--detach', '-p', `127.0.0.1:${port}:30000`, IMAGE)
  try {
    const ask = (path: string) => fetch(`http://127.0.0.1:${port}${path}`)
    const health = await waitFor('DTMA does not answer', 30_000, () => ask('/health').catch(() => undefined))
    expect(health.status).toBe(200)
    expect(await health.json()).toEqual({ status: 'unconfigured', version: expect.any(String) })
    const status = await ask('/status')
    expect(status.status).toBe(403)
    expect(status.headers.get('content-type')).toContain('application/problem+json')
    expect(await status.json()).toMatchObject({ code: 'tls-required' })
    expect(await docker('exec', id, 'id', '-u')).not.toBe('0')
  } finally {
    await docker('rm', '--force', id)
    await docker('image', 'rm', IMAGE)
  }
})
