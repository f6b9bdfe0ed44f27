import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readIfThere } from './read-if-there.ts'

const fileOf = (dataDir: string): string => join(dataDir, 'address')

/** Notes under which address the control plane of this data directory is reached, for the other commands. */
export function writeAddress(dataDir: string, publicUrl: string): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  writeFileSync(fileOf(dataDir), `${publicUrl}\n`, { mode: 0o600 })
}

/** As the running or the last control plane wrote it. */
export const readAddress = (dataDir: string): string | undefined => readIfThere(fileOf(dataDir))?.toString().trim()
