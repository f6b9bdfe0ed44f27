import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Road } from '@agentopia/backend/testing'
import {
  type Capability,
  createClient,
  deleteTool,
  getCapabilities,
  getHealth,
  getTool,
  putTool,
} from '@agentopia/dtma/contract'
import { roadTo, type Transport } from './bridged.ts'

export interface Contained extends AsyncDisposable {
  readonly road: Road
  /** Runs the fixture in a container, hardened as every tool is, and waits until it has answered. */
  open(name: string, transport: Transport): Promise<readonly Capability[]>
}

const KEY = 'a-key-of-the-conformance-tests'
const PORT_INSIDE = 3_000
const PATIENCE_MS = 240_000

/** DTMA as a process, with this machine's Docker. */
export async function openContained(image: string): Promise<Contained> {
  const directory = mkdtempSync(join(tmpdir(), 'agentopia-dtma-'))
  const port = await freePort()
  const dtma: ChildProcess = spawn(
    process.execPath,
    [fileURLToPath(new URL('../../dtma/src/main.ts', import.meta.url))],
    {
      env: {
        PATH: process.env['PATH'],
        DTMA_STATE_DIR: directory,
        BACKEND_TO_DTMA_API_KEY: KEY,
        HOST: '127.0.0.1',
        PORT: String(port),
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  )
  const client = createClient({ baseUrl: `http://127.0.0.1:${port}`, token: KEY })
  const names: string[] = []
  await until('DTMA to answer', () =>
    client.call(getHealth, {}).then(
      ({ status }) => status === 'ok',
      () => false,
    ),
  )

  return {
    road: roadTo(port, KEY),
    async open(name, transport) {
      names.push(name)
      const spec = {
        package: { type: 'oci' as const, image },
        transport: transport === 'stdio' ? { type: transport } : { type: transport, port: PORT_INSIDE, path: '/mcp' },
        args: [transport, 'both', String(PORT_INSIDE)],
        env: { FIXTURE_HOSTS: 'any' },
      }
      await client.call(putTool, { params: { name }, body: { generation: 1, spec } })
      await until(`${name} to run`, async () => {
        const { state, reason, message } = await client.call(getTool, { params: { name } })
        if (state === 'blocked') throw new Error(`${reason}: ${message}`)
        return state === 'running'
      })
      return (await client.call(getCapabilities, { params: { name } })).capabilities
    },
    async [Symbol.asyncDispose]() {
      for (const name of names) {
        await client.call(deleteTool, { params: { name } })
        await until(`${name} to be gone`, () =>
          client.call(getTool, { params: { name } }).then(
            () => false,
            () => true,
          ),
        )
      }
      dtma.kill()
      if (dtma.exitCode === null && dtma.signalCode === null) await once(dtma, 'exit')
      rmSync(directory, { recursive: true })
    },
  }
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; !(await holds()); await sleep(200))
    if (Date.now() > end) throw new Error(`waited too long for ${what}`)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}
