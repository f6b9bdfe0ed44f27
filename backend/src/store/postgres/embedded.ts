import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../../log.ts'
import { StoreError } from '../store-error.ts'
import { chooseRunner, type Runner } from './as-non-root.ts'
import { findBinaries, majorOf } from './binaries.ts'
import { lockDirectory } from './directory-lock.ts'
import {
  answers,
  clearDeadServer,
  isPostmaster,
  PORT,
  type PostmasterPlace,
  recordedPid,
  saysReady,
  until,
} from './postmaster.ts'

/** Small, because the control plane shares the machine; durable, because fsync and full_page_writes stay on. */
const SETTINGS = {
  shared_buffers: '32MB',
  max_connections: '40',
  listen_addresses: '',
  unix_socket_permissions: '0700',
  max_wal_senders: '0',
  wal_level: 'minimal',
  max_logical_replication_workers: '0',
  autovacuum_max_workers: '1',
  max_wal_size: '256MB',
  log_min_messages: 'warning',
} as const

const START_MS = 30_000
const ADOPT_MS = 10_000
const STOP_MS = 10_000
const RESTART_MS = [100, 500, 2_000, 10_000] as const

/** A real PostgreSQL of our own: a supervised child on a unix socket in the data directory. */
export interface EmbeddedPostgres {
  /** The folder of its socket. */
  readonly host: string
  readonly port: number
  /** True when a server of a killed predecessor was taken over. */
  readonly adopted: boolean
  pid(): number
  stop(): Promise<void>
}

/**
 * Starts the PostgreSQL of `folder`, making it at first. One process at a time; restarted when it dies under us.
 * After a `kill -9` of this process the child lives on, and the next start adopts it.
 * @throws {StoreError} With one sentence and the fix, when it cannot start.
 */
export async function startEmbedded(folder: string, log: Log): Promise<EmbeddedPostgres> {
  const root = resolve(folder)
  const binaries = findBinaries()
  if (!binaries)
    throw new StoreError(
      'No PostgreSQL is installed for this platform',
      'Run `npm ci`, install postgresql, or set DATABASE_URL.',
    )
  const runner = chooseRunner()
  mkdirSync(root, { recursive: true, mode: 0o700 })
  const release = lockDirectory(root)
  if (!release)
    throw new StoreError(
      `Another process uses the data directory ${folder}`,
      'Stop it first, or set DATA_DIR to another directory.',
    )
  try {
    chmodSync(root, 0o700)
    runner.own(root)
    const place: PostmasterPlace = { data: join(root, 'data'), socketDir: socketDirOf(root, runner) }
    initialise(root, place.data, binaries, runner)
    return await supervise(place, binaries, runner, log, release)
  } catch (error) {
    release()
    throw error
  }
}

/** The socket's path must fit in 107 bytes (sun_path); a deep data directory gets a folder of its own in /tmp. */
function socketDirOf(root: string, runner: Runner): string {
  if (join(root, `.s.PGSQL.${PORT}.lock`).length <= 107) return root
  const folder = join(tmpdir(), `agentopia-${createHash('sha256').update(root).digest('hex').slice(0, 16)}`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  runner.own(folder)
  return folder
}

/** A kill at any moment leaves either no cluster or a whole one: initdb works elsewhere and is renamed when complete. */
function initialise(root: string, data: string, binaries: string, runner: Runner): void {
  // The initdb of one that was killed may write for a moment more.
  for (const name of readdirSync(root))
    if (name.startsWith('init-'))
      rmSync(join(root, name), { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  if (existsSync(data)) return
  const scratch = join(root, `init-${process.pid}`)
  const args = ['-D', scratch, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8']
  const [program, argv] = runner.command(join(binaries, 'initdb'), args)
  const made = spawnSync(program, argv, {
    ...runner.identity,
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  if (made.status !== 0) throw startError(made.stderr || String(made.error))
  renameSync(scratch, data)
  const handle = openSync(root, 'r')
  fsyncSync(handle)
  closeSync(handle)
}

async function supervise(
  place: PostmasterPlace,
  binaries: string,
  runner: Runner,
  log: Log,
  release: () => void,
): Promise<EmbeddedPostgres> {
  let stopping = false
  let pid = await adopt(place)
  const adopted = pid !== undefined
  pid ??= await launch()

  async function launch(): Promise<number> {
    const child = await start(place, binaries, runner)
    child.once('exit', () => void restart())
    return child.pid!
  }

  /** An adopted server is not our child: its end is noticed here. */
  const watch = setInterval(() => {
    if (adopted && pid !== undefined && !isPostmaster(pid, place)) void restart()
  }, 1_000)
  watch.unref()

  let restarting: Promise<void> | undefined
  function restart(): Promise<void> {
    if (stopping) return Promise.resolve()
    restarting ??= relaunch().finally(() => {
      restarting = undefined
    })
    return restarting
  }

  async function relaunch(): Promise<void> {
    log.error({ pid }, 'PostgreSQL ended by itself')
    for (let attempt = 0; !stopping; attempt += 1) {
      await sleep(RESTART_MS[Math.min(attempt, RESTART_MS.length - 1)])
      if (stopping) return
      try {
        pid = await launch()
        log.info({ pid }, 'PostgreSQL runs again')
        return
      } catch (err) {
        log.error({ err, attempt }, 'PostgreSQL did not start')
      }
    }
  }

  return {
    host: place.socketDir,
    port: PORT,
    adopted,
    pid: () => pid!,
    async stop() {
      stopping = true
      clearInterval(watch)
      await restarting
      await shutDown(pid!, place)
      release()
    },
  }
}

/** Takes over the server that a killed predecessor left behind, once it has come to itself. */
async function adopt(place: PostmasterPlace): Promise<number | undefined> {
  const pid = recordedPid(place)
  if (pid === undefined || !isPostmaster(pid, place)) return undefined
  return (await until(() => answers(place), ADOPT_MS)) ? pid : undefined
}

async function start(place: PostmasterPlace, binaries: string, runner: Runner): Promise<ChildProcess> {
  await until(() => clearDeadServer(place), ADOPT_MS, 100)
  const settings = majorOf(place.data) >= 18 ? { ...SETTINGS, io_method: 'sync' } : SETTINGS
  const args = [
    '-D',
    place.data,
    '-k',
    place.socketDir,
    '-p',
    String(PORT),
    ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
  ]
  const [program, argv] = runner.command(join(binaries, 'postgres'), args)
  // Not in our process group: Ctrl-C on a terminal must reach PostgreSQL through us, in order.
  const child = spawn(program, argv, {
    ...runner.identity,
    cwd: place.data,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let told = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    told = (told + text).slice(-4_096)
  })
  let ended = false
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject)
    child.once('exit', () => {
      ended = true
      reject(startError(told))
    })
  })
  const ready = until(
    async () => ended || (recordedPid(place) === child.pid && saysReady(place) && (await answers(place))),
    START_MS,
  ).then((ok) => {
    if (!ok) throw startError(told || 'it was not ready in time')
  })
  await Promise.race([ready, failed])
  failed.catch(() => {}) // an end after the start is the supervisor's business
  child.unref()
  return child
}

/** Fast shutdown: sessions end, everything is on disk. */
async function shutDown(pid: number, place: PostmasterPlace): Promise<void> {
  if (!isPostmaster(pid, place)) return
  process.kill(pid, 'SIGINT')
  if (!(await until(() => !isPostmaster(pid, place), STOP_MS))) process.kill(pid, 'SIGQUIT')
}

function startError(told: string): StoreError {
  const last = told.trim().split('\n').at(-1) ?? ''
  if (/No space left on device/.test(told))
    return new StoreError(
      'The disk is full: the database cannot start',
      'Free some space and start again; nothing was damaged.',
    )
  if (/Permission denied/.test(told))
    return new StoreError(
      `The database may not use its directory: ${last}`,
      'Set DATA_DIR to a directory that this user owns, or do not run as root in a container without user namespaces.',
    )
  return new StoreError(
    `The database did not start: ${last}`,
    'Read the lines above; set DATABASE_URL to use a PostgreSQL of your own.',
  )
}
