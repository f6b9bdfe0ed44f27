import type { Socket } from 'node:net'
import { createHttpReader, type HttpListener, type HttpReader } from './http-reader.ts'

/** One request and its answer. */
export interface Exchange {
  /** Resolves at the end of the answer. @throws The connection's error, or what was wrong with the answer. */
  readonly ended: Promise<void>
  /** Ends it, and its connection with it; nothing when it has ended. */
  giveUp(): void
}

/** Connections to one server, kept from one exchange to the next: as many as there are exchanges at once. */
export interface HttpPool {
  /** @param bytes The whole request. */
  exchange(bytes: string, listener: HttpListener): Exchange
  close(): void
}

interface Wire {
  send(bytes: string, listener: HttpListener, ended: (error?: Error) => void): void
  /** As long as this has not come it may be used again. */
  readonly freeUntil: number
  close(): void
}

/** More than calls and what is told beside them need: these are answers that the server does not end. */
const MOST = 256

const hangUp = () => Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })

export function createHttpPool(dial: () => Promise<Socket>): HttpPool {
  const open = new Set<Wire>()
  const free: Wire[] = []
  let dialling = 0
  let isClosed = false

  function add(socket: Socket): Wire {
    const wire = createWire(
      socket,
      () => void free.push(wire),
      () => {
        open.delete(wire)
        const at = free.indexOf(wire)
        if (at >= 0) free.splice(at, 1)
      },
    )
    open.add(wire)
    return wire
  }

  function takeFree(): Wire | undefined {
    for (let wire = free.pop(); wire; wire = free.pop()) {
      if (performance.now() < wire.freeUntil) return wire
      wire.close()
    }
    return undefined
  }

  return {
    exchange(bytes, listener) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      let isOver = false
      let mine: Wire | undefined
      const end = (error?: Error) => {
        isOver = true
        mine = undefined
        if (error) reject(error)
        else resolve()
      }
      const begin = (wire: Wire) => {
        mine = wire
        wire.send(bytes, listener, end)
      }
      const kept = takeFree()
      if (kept) begin(kept)
      else if (open.size + dialling >= MOST) end(new Error(`${MOST} answers of the tool have no end`))
      else {
        dialling += 1
        dial()
          .finally(() => {
            dialling -= 1
          })
          .then((socket) => {
            if (!isOver && !isClosed) return begin(add(socket))
            socket.destroy()
            end(hangUp())
          }, end)
      }
      return {
        ended: promise,
        giveUp() {
          mine?.close()
          end(hangUp())
        },
      }
    },
    close() {
      isClosed = true
      for (const wire of open) wire.close()
    },
  }
}

function createWire(socket: Socket, onFree: () => void, onGone: () => void): Wire {
  let reader: HttpReader | undefined
  let tell: (error?: Error) => void = () => {}
  let freeUntil = 0

  function end(error?: Error): void {
    const told = tell
    reader = undefined
    tell = () => {}
    told(error)
  }

  function hear(chunk: Buffer): void {
    const mine = reader
    try {
      if (mine && !mine.read(chunk)) return
    } catch (error) {
      end(error as Error)
    }
    // It is of no more use: broken, not kept by the server, or given up; or the server speaks without having been asked.
    if (!reader?.keepMs || socket.destroyed) socket.destroy()
    else {
      freeUntil = performance.now() + reader.keepMs
      onFree()
    }
    end()
  }

  socket
    .on('data', hear)
    .on('end', () => {
      end(reader?.end() ? undefined : hangUp())
      socket.destroy()
    })
    .on('error', end)
    .on('close', () => {
      end(hangUp())
      onGone()
    })
  return {
    get freeUntil() {
      return freeUntil
    },
    send(bytes, listener, ended) {
      if (socket.destroyed) return ended(hangUp())
      reader = createHttpReader(listener)
      tell = ended
      socket.write(bytes)
    },
    close: () => void socket.destroy(),
  }
}
