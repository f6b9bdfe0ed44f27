import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type Client, createClient } from './contract/client.ts'
import { listGroups } from './contract/group.ts'
import { getHealth, listTools } from './contract/operations.ts'

/** DTMA as a process of its own, which can be killed. */
export interface DtmaProcess {
  readonly client: Client
  /** Of the process that runs now. */
  readonly pid: number
  /** Resolves when it serves; at once when it does already. */
  start(): Promise<void>
  /** As the kernel does it when memory runs out: without a word. */
  kill(): Promise<void>
  stop(): Promise<void>
}

const KEY = 'a-key-of-the-control-plane'

export async function dtmaProcess(env: Readonly<Record<string, string>>): Promise<DtmaProcess> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  const client = createClient({ baseUrl: `http://127.0.0.1:${port}`, token: KEY })
  let child: ChildProcess | undefined

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (!child) return
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
  }

  return {
    client,
    get pid() {
      return child!.pid!
    },
    async start() {
      if (child) return
      child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
        env: { ...env, BACKEND_TO_DTMA_API_KEY: KEY, HOST: '127.0.0.1', PORT: String(port), LOG_LEVEL: 'error' },
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      child.once('exit', () => {
        child = undefined
      })
      await until(async () => {
        const { status } = await client.call(getHealth, {})
        // What is kept on the disk is read after it listens.
        await Promise.all([client.call(listTools, {}), client.call(listGroups, {})])
        return status === 'ok'
      }, 30_000)
    },
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  }
}

/** Also outside of a test, where Vitest does not poll. A failure of the question counts as no. */
export async function until(isSo: () => Promise<boolean>, ms: number): Promise<void> {
  const deadline = performance.now() + ms
  while (!(await isSo().catch(() => false))) {
    if (performance.now() > deadline) throw new Error(`Waited ${ms} ms in vain for ${isSo}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
