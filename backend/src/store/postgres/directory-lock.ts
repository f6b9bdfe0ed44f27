import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/**
 * Takes a directory for this process alone. The kernel releases the lock when the process dies, however it dies.
 * (An exclusive SQLite transaction: Node has no flock of its own.)
 * @returns The release, or `undefined` when another process holds it.
 */
export function lockDirectory(folder: string): (() => void) | undefined {
  const lock = new DatabaseSync(join(folder, 'lock.sqlite'))
  try {
    lock.exec('pragma locking_mode = exclusive; begin exclusive')
  } catch (error) {
    lock.close()
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return undefined
    throw error
  }
  return () => {
    if (lock.isOpen) lock.close()
  }
}

const SQLITE_BUSY = 5
