import { readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import type * as z from 'zod/mini'
import { $ZodError } from 'zod/v4/core'
import { syncDirectory, writeSynced } from './durable-file.ts'

/** One small JSON file: whole or not at all, and on disk when `write` resolves. */
export interface StateFile<T> {
  /** `undefined`: it is not there, or it is not what was written. */
  read(): Promise<T | undefined>
  write(value: T): Promise<void>
}

export function stateFile<S extends z.ZodMiniType>(path: string, schema: S): StateFile<z.output<S>> {
  return {
    async read() {
      try {
        return schema.parse(JSON.parse(await readFile(path, 'utf8')))
      } catch (error) {
        const isAbsent = error instanceof Error && 'code' in error && error.code === 'ENOENT'
        if (isAbsent || error instanceof SyntaxError || error instanceof $ZodError) return undefined
        throw error
      }
    },
    async write(value) {
      // Two processes may write, one after the other; never into one file.
      const scratch = `${path}.${process.pid}`
      await writeSynced(scratch, JSON.stringify(value))
      await rename(scratch, path)
      await syncDirectory(dirname(path))
    },
  }
}
