import { readFileSync } from 'node:fs'

/** What a file holds; `undefined` when there is none. @throws what else keeps it from being read. */
export function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
