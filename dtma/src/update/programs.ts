import { mkdir, readdir, readFile, readlink, rename, rm, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { syncDirectory, writeSynced } from '../durable-file.ts'
import { UpdateFailure } from './download.ts'

/** The later versions of a DTMA that is a service: each in a directory of its own, and `current` names the one that is started. */
export interface Programs {
  /** Absent: the version that was installed. */
  current(): Promise<string | undefined>
  has(name: string): Promise<boolean>
  /** The file that Node runs. */
  fileOf(name: string): string
  /** Takes in what was fetched: whole or not at all, and on disk when it resolves. @throws {UpdateFailure} */
  add(archive: string, name: string, version: string): Promise<void>
  /** From the next start on. */
  makeCurrent(name: string): Promise<void>
  /** Not the current one. */
  remove(name: string): Promise<void>
  /** All but the current one. */
  clear(): Promise<void>
}

const CURRENT = 'current'
const PROGRAM = 'dtma.cjs'
/** A bundle has about 2 MB. */
const MOST_BYTES = 64 * 1024 * 1024
/** The first line of a bundle: what it says of itself. */
const SAYS = /^\/\/ agentopia-dtma (\S+)$/

export function createPrograms(directory: string): Programs {
  const at = (name: string): string => join(directory, name)

  async function current(): Promise<string | undefined> {
    try {
      return await readlink(at(CURRENT))
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw error
    }
  }

  const remove = async (name: string): Promise<void> => {
    if (name === (await current())) throw new Error(`${name} is the program that runs`)
    await rm(at(name), { recursive: true, force: true })
  }

  return {
    current,
    fileOf: (name) => join(directory, name, PROGRAM),
    remove,
    async has(name) {
      try {
        return (await stat(join(directory, name, PROGRAM))).isFile()
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return false
        throw error
      }
    },
    async add(archive, name, version) {
      const program = await opened(archive, version)
      try {
        const scratch = at(`${name}.new`)
        await rm(scratch, { recursive: true, force: true })
        await mkdir(scratch, { mode: 0o755 })
        await writeSynced(join(scratch, PROGRAM), program, 0o644)
        await syncDirectory(scratch)
        await rm(at(name), { recursive: true, force: true })
        await rename(scratch, at(name))
        await syncDirectory(directory)
      } catch (error) {
        if (codeOf(error) !== 'ENOSPC') throw error
        throw new UpdateFailure('disk_full', 'The disk is full: the program does not fit', { cause: error })
      }
    },
    async makeCurrent(name) {
      const scratch = at(`${CURRENT}.new`)
      await rm(scratch, { force: true })
      await symlink(name, scratch)
      await rename(scratch, at(CURRENT))
      await syncDirectory(directory)
    },
    async clear() {
      const keep = await current()
      for (const name of await readdir(directory)) if (name !== CURRENT && name !== keep) await remove(name)
    },
  }
}

async function opened(archive: string, version: string): Promise<Buffer> {
  const program = await promisify(gunzip)(await readFile(archive), { maxOutputLength: MOST_BYTES }).catch(
    (cause: unknown) => {
      throw new UpdateFailure('load_failed', 'The bundle of the release cannot be unpacked', { cause })
    },
  )
  const firstLine = program.toString('utf8', 0, 100).split('\n', 1)[0]!
  const said = SAYS.exec(firstLine)?.[1]
  if (said === version) return program
  throw new UpdateFailure('wrong_version', `The bundle says that it is ${said ?? 'no version'}, the release ${version}`)
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)
