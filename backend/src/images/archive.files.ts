import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'

/** So much of an archive is read at a time: in small pieces, collecting what was allocated for them costs more than reading. */
const PIECE_BYTES = 2 ** 20

/** The bytes of archives, by account and digest. A part that is written is on the disk when its method resolves. */
export interface ArchiveFiles {
  /** How much of it is here. */
  received(accountId: string, digest: string): Promise<number>
  /** Writes a part at its place; what was after it is gone. */
  write(accountId: string, digest: string, offset: number, part: Uint8Array): Promise<void>
  /** @returns Whether it is here, and has this digest. */
  isWhole(accountId: string, digest: string, signal: AbortSignal): Promise<boolean>
  /** From the beginning; of a part or of the whole. */
  read(accountId: string, digest: string): Readable
  remove(accountId: string, digest: string): Promise<void>
}

/** @param directory Made when it is absent; shared by all processes that serve one store. */
export function createArchiveFiles(directory: string): ArchiveFiles {
  const folderOf = (accountId: string) => {
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(accountId)) throw new Error('this is no id of an account')
    return join(directory, accountId)
  }
  const pathOf = (accountId: string, digest: string) => {
    const [, hex] = /^sha256:([0-9a-f]{64})$/.exec(digest) ?? []
    if (hex === undefined) throw new Error('this is no digest')
    return join(folderOf(accountId), `${hex}.tar`)
  }

  return {
    async received(accountId, digest) {
      return (await stat(pathOf(accountId, digest)).catch(absent))?.size ?? 0
    },
    async write(accountId, digest, offset, part) {
      await mkdir(folderOf(accountId), { recursive: true, mode: 0o700 })
      const file = await open(pathOf(accountId, digest), offset === 0 ? 'w' : 'r+', 0o600)
      try {
        await file.truncate(offset)
        await file.write(part, 0, part.byteLength, offset)
        await file.sync()
      } finally {
        await file.close()
      }
    },
    async isWhole(accountId, digest, signal) {
      const hash = createHash('sha256')
      const piece = Buffer.allocUnsafeSlow(PIECE_BYTES)
      const file = await open(pathOf(accountId, digest)).catch(absent)
      if (!file) return false
      try {
        for (;;) {
          signal.throwIfAborted()
          const { bytesRead } = await file.read(piece, 0, piece.byteLength)
          if (bytesRead === 0) break
          hash.update(piece.subarray(0, bytesRead))
        }
      } finally {
        await file.close()
      }
      return `sha256:${hash.digest('hex')}` === digest
    },
    read: (accountId, digest) => createReadStream(pathOf(accountId, digest), { highWaterMark: PIECE_BYTES }),
    remove: (accountId, digest) => rm(pathOf(accountId, digest), { force: true }),
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}
