import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readIfThere } from '../read-if-there.ts'
import { StoreError } from '../store/store-error.ts'

/** The keys that stored secrets are opened with. Only the current one seals. */
export interface MasterKeys {
  readonly current: Uint8Array
  /** While it is changed: the one before, or the next one; and whatever else is still needed. */
  readonly others: readonly Uint8Array[]
}

const KEY = 32

export const masterKeyFile = (dataDir: string): string => join(dataDir, 'master.key')
/** The key before. */
export const previousKeyFile = (dataDir: string): string => join(dataDir, 'master.key.previous')

/** The master key: given, or made once and kept beside the database, readable by its owner alone; and what opens besides. */
export function loadMasterKeys(
  dataDir: string,
  given: { readonly masterKey?: Uint8Array; readonly otherMasterKeys?: readonly Uint8Array[] },
): MasterKeys {
  const others = given.otherMasterKeys ?? []
  if (given.masterKey) return { current: given.masterKey, others }
  const current = readKey(masterKeyFile(dataDir)) ?? makeKey(dataDir)
  const previous = readKey(previousKeyFile(dataDir))
  return { current, others: previous ? [previous, ...others] : others }
}

/** @returns `undefined` when there is no such file. @throws {StoreError} When it holds no key. */
export function readKey(file: string): Uint8Array | undefined {
  const text = readIfThere(file)?.toString()
  if (text === undefined) return undefined
  const key = Buffer.from(text.trim(), 'base64')
  if (key.length !== KEY)
    throw new StoreError(
      `${file} does not hold 32 bytes in base64`,
      'Restore it from a backup: stored secrets open with it alone.',
    )
  return key
}

/** Makes another master key and keeps this one beside it: in that order, so that no key that was used is ever lost. @returns the new one */
export function replaceKey(dataDir: string, current: Uint8Array): Uint8Array {
  const next = randomBytes(KEY)
  writeWhole(previousKeyFile(dataDir), textOf(current))
  writeWhole(masterKeyFile(dataDir), textOf(next))
  return next
}

/** Whole or not at all: written aside with fsync, then linked into place; of two processes at once one wins. */
function makeKey(dataDir: string): Uint8Array {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const file = masterKeyFile(dataDir)
  const scratch = `${file}.${process.pid}`
  writeFileSync(scratch, textOf(randomBytes(KEY)), { mode: 0o600, flush: true })
  try {
    linkSync(scratch, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(scratch)
  }
  return readKey(file)!
}

const textOf = (key: Uint8Array): string => `${Buffer.from(key).toString('base64')}\n`

/** Whole or not at all, and on the disk when it returns. */
function writeWhole(file: string, text: string): void {
  const scratch = `${file}.next`
  writeFileSync(scratch, text, { mode: 0o600, flush: true })
  renameSync(scratch, file)
  const directory = openSync(dirname(file), 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}
