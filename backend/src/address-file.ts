import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const fileOf = (dataDir: string): string => join(dataDir, 'address')

/** Notes under which address the control plane of this data directory is reached, for the other commands. */
export function writeAddress(dataDir: string, publicUrl: string): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  writeFileSync(fileOf(dataDir), `${publicUrl}\n`, { mode: 0o600 })
}

/** As the running or the last control plane wrote it. */
export function readAddress(dataDir: string): string | undefined {
  try {
    return readFileSync(fileOf(dataDir), 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
