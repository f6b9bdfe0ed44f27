import { unlinkSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { join } from 'node:path'

/** Another process holds the state directory. */
export class StateInUse extends Error {
  override readonly name = 'StateInUse'
}

/**
 * Holds the state directory for as long as this process lives: two DTMAs on one directory would fight for the same
 * containers. A socket in the directory is the lock, because the kernel lets go of it however the process ends, and because
 * it is seen from every container that has the directory mounted.
 * @throws {StateInUse} And any error of the file system.
 */
export async function lockState(directory: string): Promise<{ release(): void }> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const path = join(directory, 'lock')
  const server = (await listen(path)) ?? (await takeOver(directory, path))
  server.unref()
  return { release: () => void server.close() }
}

async function takeOver(directory: string, path: string): Promise<Server> {
  if (await answers(path)) throw inUse(directory)
  unlinkSync(path) // of a process that is no more
  const server = await listen(path)
  if (!server) throw inUse(directory)
  return server
}

const inUse = (directory: string) =>
  new StateInUse(`Another DTMA uses the state directory ${directory}: stop it, or set DTMA_STATE_DIR to another one.`)

/** `undefined`: the path is taken. */
async function listen(path: string): Promise<Server | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<Server | undefined>()
  const server = createServer((socket) => socket.destroy())
  server.once('error', (error: NodeJS.ErrnoException) =>
    error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
  )
  server.listen(path, () => resolve(server))
  return promise
}

async function answers(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(path, () => resolve(true))
  socket.once('error', () => resolve(false))
  const answer = await promise
  socket.destroy()
  return answer
}
