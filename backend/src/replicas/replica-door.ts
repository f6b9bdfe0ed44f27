import { once } from 'node:events'
import { constants, createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { isIP } from 'node:net'
import { pipeline } from 'node:stream/promises'
import type { TLSSocket } from 'node:tls'
import { SESSION_WINDOW, STREAM_WINDOW } from '@agentopia/dtma/tunnel'
import { readAll } from '../gateway/read-all.ts'
import type { Log } from '../log.ts'
import { StartError } from '../start-error.ts'
import type { DtmaRequest } from '../uplink/dtma-session.ts'
import type { Tunnels } from '../uplink/tunnel/tunnels.ts'
import { createReplicaServer, placeOf } from './replica-tls.ts'

/** Which toolbox a request between replicas is for. */
export const TOOLBOX_HEADER = 'x-agentopia-toolbox'
/** As {@link DtmaRequest.mayShare}. */
export const SHARE_HEADER = 'x-agentopia-may-share'

/** The longest request for a DTMA, in bytes. */
const MOST_BYTES = 64 << 20

export interface ReplicaDoorDeps {
  /** `host:port`; a name is listened for on all addresses. */
  readonly address: string
  readonly rootKey: Uint8Array
  /** The tunnels of this process alone: what came from a replica goes to no other. */
  readonly tunnels: Pick<Tunnels, 'request'>
  readonly log: Log
}

/** Lets other replicas use the tunnels of this one. @throws {StartError} When it cannot listen. */
export async function openReplicaDoor({ address, rootKey, tunnels, log }: ReplicaDoorDeps): Promise<Disposable> {
  const http = createServer({ settings: { initialWindowSize: STREAM_WINDOW } })
  http.on('session', (session) => {
    session.on('error', () => {}) // each stream hears of it by itself
    session.once('connect', () => session.setLocalWindowSize(SESSION_WINDOW))
  })
  http.on('stream', (stream, headers) => {
    stream.on('error', () => {}) // the replica that asked is gone
    pass(stream, headers).catch((err: unknown) => {
      if (!stream.destroyed) log.info({ err }, 'a request of another replica was broken off')
      stream.close(constants.NGHTTP2_INTERNAL_ERROR)
    })
  })

  async function pass(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    const toolboxId = headers[TOOLBOX_HEADER]
    const gone = new AbortController()
    stream.once('close', () => gone.abort(new Error('the replica that asked is gone')))
    const body = await readAll(stream, MOST_BYTES, () => new Error(`a request is longer than ${MOST_BYTES} bytes`))
    const answering =
      typeof toolboxId === 'string' && tunnels.request(toolboxId, { ...requestOf(headers, body), signal: gone.signal })
    if (!answering) throw new Error(`the tunnel of ${toolboxId} is not here`) // to answer anything would be taken for DTMA's word
    const answer = await answering
    stream.respond({ ...answer.headers, ':status': answer.status })
    if (answer.text === undefined) await pipeline(answer.body, stream)
    else stream.end(answer.text)
  }

  const sockets = new Set<TLSSocket>()
  const server = createReplicaServer(rootKey, (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    http.emit('connection', socket)
  })
  const { host, port } = placeOf(address)
  server.listen({ port, ...(isIP(host) === 0 ? {} : { host }) })
  await once(server, 'listening').catch((cause: NodeJS.ErrnoException) => {
    throw new StartError(
      `REPLICA_ADDRESS ${address} cannot be listened on (${cause.code})`,
      'Set it to an address of this machine, and a port that no other program has.',
      { cause },
    )
  })
  return {
    [Symbol.dispose]() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

function requestOf(headers: IncomingHttpHeaders, body: Buffer): DtmaRequest {
  const mayShare = headers[SHARE_HEADER] === 'yes'
  const own = Object.entries(headers).filter(
    (pair): pair is [string, string] =>
      typeof pair[1] === 'string' && !pair[0].startsWith(':') && ![TOOLBOX_HEADER, SHARE_HEADER].includes(pair[0]),
  )
  return {
    method: headers[':method']!,
    path: headers[':path']!,
    headers: Object.fromEntries(own),
    ...(body.length === 0 ? {} : { body: mayShare ? body.toString('utf8') : body }),
    mayShare,
  }
}
