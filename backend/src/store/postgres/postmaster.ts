import { readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** The running PostgreSQL of a data directory, as its own pid file and socket tell. */
export interface PostmasterPlace {
  /** The cluster: `initdb`'s directory. */
  readonly data: string
  /** Folder of the unix socket. */
  readonly socketDir: string
}

export const PORT = 5432
const socketOf = ({ socketDir }: PostmasterPlace): string => join(socketDir, `.s.PGSQL.${PORT}`)

/** First line of postmaster.pid; absent when there is none. */
export function recordedPid({ data }: PostmasterPlace): number | undefined {
  const [first] = pidFile(data)
  return first ? Number(first) : undefined
}

/** Line 8 of postmaster.pid says `ready` once connections are served. */
export const saysReady = ({ data }: PostmasterPlace): boolean => pidFile(data)[7]?.trim() === 'ready'

function pidFile(data: string): string[] {
  try {
    return readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')
  } catch {
    return [] // no server has this directory
  }
}

/** Is `pid` a PostgreSQL of this very directory, and no zombie? A pid alone may have been given to another process. */
export function isPostmaster(pid: number, { data }: PostmasterPlace): boolean {
  try {
    if (/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) return false
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(data)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || process.platform === 'linux') return false
    return signalReaches(pid) // no /proc (macOS): the pid file is all there is
  }
}

function signalReaches(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/**
 * Removes the lock files of a server that is dead for certain: no process at all works in its directory any more.
 * PostgreSQL itself would refuse to start while a zombie still carries the number, which some init processes never reap.
 * @returns False when something still lives there, or this system cannot tell.
 */
export function clearDeadServer(place: PostmasterPlace): boolean {
  const pid = recordedPid(place)
  if (pid === undefined) return true
  if (process.platform !== 'linux' || isPostmaster(pid, place) || livesIn(place.data)) return false
  rmSync(join(place.data, 'postmaster.pid'), { force: true })
  rmSync(`${socketOf(place)}.lock`, { force: true })
  return true
}

/** Does any process have this folder as its working directory, as every PostgreSQL process has its cluster's? */
const livesIn = (folder: string): boolean =>
  readdirSync('/proc').some((name) => {
    if (!/^\d+$/.test(name)) return false
    try {
      return readlinkSync(`/proc/${name}/cwd`) === folder
    } catch {
      return false // it has ended meanwhile, or is a zombie
    }
  })

/** Does the socket accept a connection now? */
export const answers = (place: PostmasterPlace): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(socketOf(place))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })

/** Polls until `condition` holds. @returns False when `timeoutMs` passed first. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number,
  everyMs = 25,
): Promise<boolean> {
  for (const deadline = performance.now() + timeoutMs; performance.now() < deadline; await sleep(everyMs))
    if (await condition()) return true
  return condition()
}
