import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { createConnection, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** A git server with one repository of one commit. */
export interface GitServer extends AsyncDisposable {
  readonly url: string
  readonly commit: string
}

const NOT_SOURCE = new Set(['node_modules', 'dist'])
const START_MS = 10_000

/** @param folder Is in the repository under its own name. @param address At which machines reach it. */
export async function openGitServer(folder: string, address: string): Promise<GitServer> {
  const base = await mkdtemp(join(tmpdir(), 'agentopia-git-'))
  const repository = join(base, 'agentopia')
  const git = (...args: string[]) =>
    execute('git', ['-c', 'user.name=testbed', '-c', 'user.email=testbed@localhost', '-C', repository, ...args])
  await cp(folder, join(repository, basename(folder)), {
    recursive: true,
    filter: (path) => !NOT_SOURCE.has(basename(path)),
  })
  await git('init', '--quiet')
  await git('add', '--all')
  await git('commit', '--quiet', '--message', 'what is built')
  const { stdout } = await git('rev-parse', 'HEAD')
  const port = await freePort(address)
  const daemon = spawn(
    'git',
    ['daemon', '--export-all', `--base-path=${base}`, `--listen=${address}`, `--port=${port}`],
    { stdio: 'ignore', detached: true },
  )
  await untilListening(address, port)
  return {
    url: `git://${address}:${port}/agentopia`,
    commit: stdout.trim(),
    async [Symbol.asyncDispose]() {
      process.kill(-daemon.pid!, 'SIGTERM') // `git daemon` is a child of `git`
      await rm(base, { recursive: true, force: true })
    },
  }
}

async function freePort(address: string): Promise<number> {
  const server = createServer().listen(0, address)
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

async function untilListening(host: string, port: number): Promise<void> {
  for (const deadline = Date.now() + START_MS; ; await sleep(50)) {
    const socket = createConnection({ host, port })
    try {
      await once(socket, 'connect')
      return
    } catch (error) {
      if (Date.now() > deadline) throw error
    } finally {
      socket.destroy()
    }
  }
}
