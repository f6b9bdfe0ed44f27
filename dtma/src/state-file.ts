import { open, readFile, rename } from 'node:fs/promises'
import * as z from 'zod/mini'

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
        if (isAbsent || error instanceof SyntaxError || error instanceof z.core.$ZodError) return undefined
        throw error
      }
    },
    async write(value) {
      // Two processes may write, one after the other; never into one file.
      const scratch = `${path}.${process.pid}`
      const file = await open(scratch, 'w', 0o600)
      try {
        await file.writeFile(JSON.stringify(value))
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(scratch, path)
    },
  }
}
