import { createServer, type Server as HttpServer } from 'node:http'
import { createServer as createHttp2Server, createSecureServer, type ServerHttp2Session } from 'node:http2'
import { type AddressInfo, createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net'
import { isLoopback } from '../contract/loopback.ts'
import { SESSION_WINDOW, STREAM_WINDOW } from '../uplink/ws-duplex.ts'
import type { Listener } from './listener.ts'
import type { TlsIdentity } from './self-signed.ts'

/** One sentence for the person who started the process. */
export class PortError extends Error {
  override readonly name = 'PortError'
}

const SENTENCES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use by another program: stop it, or set PORT to another one',
  EACCES: 'may not be used by this user: set PORT to one above 1023',
  EADDRNOTAVAIL: 'cannot be had on this address: set HOST to an address of this machine',
  ENOTFOUND: 'cannot be had on this address: set HOST to an address of this machine',
}

export interface Listen {
  readonly host: string
  readonly port: number
}

export interface ServeDeps {
  readonly listener: Listener
  /** Answers plain HTTP; the same one, or one that refuses what must not travel in the clear. */
  readonly plainListener: Listener
}

/** DTMA's port. It speaks TLS and plain HTTP, HTTP/1.1 and HTTP/2; the first bytes of a connection say which. */
export interface Port {
  /** From now on TLS is spoken, with this key; until then, connections that begin with TLS are closed. */
  useKey(identity: TlsIdentity): void
  /** The TCP port. */
  readonly number: number
  /** False: it was lost when it was to move, and nobody comes in until `listenOn` succeeds. */
  readonly listens: boolean
  /**
   * Listens on this address of the machine, and no longer on the one before. What is connected stays, but what came from the
   * network to a port that is the machine's own from now on is cut. @throws {PortError} It listens where it did then, unless somebody has taken that, too.
   */
  listenOn(host: string): Promise<void>
  /** Answers what has begun, within a second; then cuts. */
  close(): Promise<void>
}

/** The first byte of a TLS connection (RFC 8446 section 5.1: a handshake record). */
const TLS_HANDSHAKE = 0x16
const HTTP2_PREFACE = 'PRI '
/** Whoever connects and says nothing is not waited for longer. */
const FIRST_BYTE_MS = 10_000
const MOST_CONNECTIONS = 1_000
const MOST_STREAMS = 1_000
const LAST_ANSWERS_MS = 1_000

const HTTP2_SETTINGS = { initialWindowSize: STREAM_WINDOW, maxConcurrentStreams: MOST_STREAMS }

/** Listens on TCP. @throws {PortError} When that is not possible. */
export async function serve({ listener, plainListener }: ServeDeps, { host, port }: Listen): Promise<Port> {
  const sessions = new Set<ServerHttp2Session>()
  const sockets = new Set<Socket>()
  let secure: ReturnType<typeof createSecureServer> | undefined
  const http1 = createServer(plainListener)
  const http2 = createHttp2Server({ settings: HTTP2_SETTINGS }, plainListener)
  http2.on('session', known)
  http1.emit('listening') // it never listens itself; with this, its deadlines for slow requests hold

  function known(session: ServerHttp2Session): void {
    sessions.add(session)
    session.setLocalWindowSize(SESSION_WINDOW)
    session.once('close', () => sessions.delete(session))
    session.on('error', () => {}) // the other end went away
  }

  function useKey({ key, cert }: TlsIdentity): void {
    if (secure) {
      secure.setSecureContext({ key, cert })
      return
    }
    secure = createSecureServer(
      { key, cert, minVersion: 'TLSv1.3', allowHTTP1: true, settings: HTTP2_SETTINGS },
      listener,
    )
    secure.on('session', known)
    secure.on('tlsClientError', (_, socket) => socket.destroy())
  }

  function sort(socket: Socket, first: Buffer): void {
    socket.unshift(first)
    if (first[0] === TLS_HANDSHAKE) {
      if (secure) secure.emit('connection', socket)
      else socket.destroy()
    } else if (first.toString('latin1', 0, HTTP2_PREFACE.length) === HTTP2_PREFACE) http2.emit('connection', socket)
    else {
      http1.emit('connection', socket)
      socket.resume() // it reads what it is given; the other two fetch it
    }
  }

  function accept(socket: Socket): void {
    if (sockets.size >= MOST_CONNECTIONS) {
      const leaves = oldestOfMost(sockets)
      sockets.delete(leaves)
      leaves.destroy()
    }
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.on('error', () => void socket.destroy())
    socket.setTimeout(FIRST_BYTE_MS, () => socket.destroy())
    socket.once('data', (first: Buffer) => {
      socket.pause()
      socket.setTimeout(0)
      sort(socket, first)
    })
  }

  let server = await listening(accept, { host, port })
  let listensOn = host
  const number = (server.address() as AddressInfo).port

  async function listenOn(next: string): Promise<void> {
    server.close() // at once, for whoever comes; one address of a port may not be had beside all of them
    try {
      server = await listening(accept, { host: next, port: number })
      listensOn = next
    } catch (error) {
      server = await listening(accept, { host: listensOn, port: number })
      throw error
    }
    if (isLoopback(next)) for (const socket of sockets) if (!isLoopback(socket.localAddress ?? '')) socket.destroy()
  }

  return {
    useKey,
    number,
    get listens() {
      return server.listening
    },
    listenOn,
    async close() {
      const closed = new Promise<void>((done) => server.close(() => done()))
      closeIdle(http1)
      for (const session of sessions) session.close()
      const cut = setTimeout(() => {
        for (const socket of sockets) socket.destroy()
      }, LAST_ANSWERS_MS)
      await closed
      clearTimeout(cut)
    },
  }
}

/** @throws {PortError} */
async function listening(accept: (socket: Socket) => void, { host, port }: Listen): Promise<TcpServer> {
  const server = createTcpServer({ noDelay: true, keepAlive: true }, accept)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', (error: NodeJS.ErrnoException) => {
    const sentence = SENTENCES[error.code ?? ''] ?? `cannot be listened on (${error.code})`
    reject(new PortError(`Port ${port} ${sentence}.`, { cause: error }))
  })
  server.listen(port, host, resolve)
  await promise
  return server
}

/**
 * Who makes room when there are too many: the oldest connection of the address that has most of them. Strangers who open all that
 * there may be push out each other, and not the one of the control plane.
 */
function oldestOfMost(sockets: Iterable<Socket>): Socket {
  const ofAddress = new Map<string, { readonly oldest: Socket; count: number }>()
  for (const socket of sockets) {
    const address = socket.remoteAddress ?? ''
    const known = ofAddress.get(address)
    if (known) known.count += 1
    else ofAddress.set(address, { oldest: socket, count: 1 })
  }
  return [...ofAddress.values()].reduce((most, one) => (one.count > most.count ? one : most)).oldest
}

const closeIdle = (server: HttpServer): void => server.closeIdleConnections()
