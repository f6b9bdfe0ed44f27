import { randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { StoreError } from './store-error.ts'

/** The key-encryption key: given (MASTER_KEY), or made once and kept beside the database, readable by its owner alone. */
export function loadMasterKey(dataDir: string, given?: Uint8Array): Uint8Array {
  if (given) return given
  const file = join(dataDir, 'master.key')
  const key = readKey(file) ?? makeKey(dataDir, file)
  if (key.length !== 32)
    throw new StoreError(
      `${file} does not hold 32 bytes in base64`,
      'Restore it from a backup: stored secrets open with it alone.',
    )
  return key
}

function readKey(file: string): Uint8Array | undefined {
  try {
    return Buffer.from(readFileSync(file, 'utf8').trim(), 'base64')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Whole or not at all: written aside with fsync, then linked into place; of two processes at once one wins. */
function makeKey(dataDir: string, file: string): Uint8Array {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const scratch = `${file}.${process.pid}`
  writeFileSync(scratch, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flush: true })
  try {
    linkSync(scratch, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(scratch)
  }
  return readKey(file)!
}
