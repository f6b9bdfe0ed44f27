import { createServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import type { Socket } from 'node:net'
import { WebSocket } from 'ws'
import { RUN_ID_HEADER, TUNNEL_BEATS_PROTOCOL, TUNNEL_CLOSE, TUNNEL_PATH, TUNNEL_PROTOCOL } from '../contract/index.ts'
import type { Log } from '../log.ts'
import { reasonOf } from '../reason.ts'
import { type Clock, jitteredBackoffMs } from './clock.ts'
import { keepAlive } from './keep-alive.ts'
import { connectPinned, type Pins } from './pinned-tls.ts'
import type { TunnelBeats } from './tunnel-beats.ts'
import { SESSION_WINDOW, STREAM_WINDOW, WsDuplex } from './ws-duplex.ts'

/** An ordinary listener of Node's HTTP servers; served over the tunnel as over TCP. */
export type TunnelListener = (request: Http2ServerRequest, response: Http2ServerResponse) => unknown

export interface TunnelDeps {
  /** Origin of the control plane. */
  readonly baseUrl: string
  /** Absent: the authorities are trusted. */
  readonly pins?: (() => Pins | undefined) | undefined
  readonly token: () => string
  readonly runId: string
  readonly listener: TunnelListener
  /** What may go by the tunnel beside that; absent: nothing. */
  readonly beats?: Pick<TunnelBeats, 'opened'> | undefined
  readonly log: Log
  readonly clock: Clock
}

export type TunnelEnd = 'stopped' | 'superseded' | 'unauthenticated'

const HANDSHAKE_MS = 10_000
const GOODBYE_MS = 1_000
/** WebSocket close code of a connection that broke (RFC 6455 section 7.4.1). */
const NEVER_OPEN = 1006
const MAX_STREAMS = 1_000
/** A tunnel that lasted so long was a good one: the next is dialled soon. */
const STABLE_MS = 10_000

/** Keeps one tunnel to the control plane open until `signal` aborts, or the control plane says that it is not wanted. */
export async function runTunnel(deps: TunnelDeps, signal: AbortSignal): Promise<TunnelEnd> {
  const { log, clock } = deps
  for (let failures = 0; !signal.aborted; ) {
    const dialledAt = clock.steady()
    const { code, connected, reason, status } = await connectOnce(deps, signal)
    if (signal.aborted) break
    if (code === TUNNEL_CLOSE.superseded) return 'superseded'
    if (code === TUNNEL_CLOSE.revoked || status === 401) return 'unauthenticated'
    failures = connected && clock.steady() - dialledAt >= STABLE_MS ? 1 : failures + 1
    if (failures === 1) log.warn('the tunnel is closed', { code, reason })
    await clock.sleep(jitteredBackoffMs(failures, clock.random), signal)
  }
  return 'stopped'
}

interface Closed {
  /** True when it had been open. */
  readonly connected: boolean
  /** Close code of the WebSocket. */
  readonly code: number
  readonly reason: string
  /** HTTP status that refused the upgrade. */
  readonly status?: number
}

/** One connection, from the dial to its end. Never rejects. */
async function connectOnce(deps: TunnelDeps, signal: AbortSignal): Promise<Closed> {
  const pins = deps.pins?.()
  if (!pins) return connectOver(deps, signal)
  try {
    return await connectOver(deps, signal, await connectPinned(new URL(deps.baseUrl), pins, signal))
  } catch (error) {
    return { connected: false, code: NEVER_OPEN, reason: reasonOf(error) }
  }
}

/** @param socket To the pinned control plane; absent: the library dials. */
function connectOver(
  { baseUrl, token, runId, listener, beats, log }: TunnelDeps,
  signal: AbortSignal,
  socket?: Socket,
): Promise<Closed> {
  return new Promise((resolve) => {
    const protocols = beats ? [TUNNEL_PROTOCOL, TUNNEL_BEATS_PROTOCOL] : [TUNNEL_PROTOCOL]
    const ws = new WebSocket(baseUrl.replace(/^http/, 'ws') + TUNNEL_PATH, protocols, {
      headers: { authorization: `Bearer ${token()}`, [RUN_ID_HEADER]: runId },
      handshakeTimeout: HANDSHAKE_MS,
      perMessageDeflate: false,
      maxPayload: SESSION_WINDOW,
      ...(socket ? { createConnection: () => socket } : {}),
    })
    let connected = false
    let reason = ''
    let status: number | undefined
    const stop = () => {
      ws.close(TUNNEL_CLOSE.stopping, 'stopping')
      setTimeout(() => ws.terminate(), GOODBYE_MS).unref()
    }
    signal.addEventListener('abort', stop)
    ws.once('unexpected-response', (_, response) => {
      status = response.statusCode
      reason = `HTTP ${status}`
      ws.terminate()
    })
    ws.on('error', (error) => {
      reason ||= error.message
    })
    ws.once('open', () => {
      connected = true
      log.info('the tunnel is open')
      keepAlive(ws, () => ws.terminate())
      serve(new WsDuplex(ws, beats?.opened(ws)), listener, log)
    })
    ws.once('close', (code) => {
      signal.removeEventListener('abort', stop)
      resolve({ connected, code, reason, ...(status === undefined ? {} : { status }) })
    })
  })
}

/** HTTP/2 with us as the server, although we dialled. */
function serve(tunnel: WsDuplex, listener: TunnelListener, log: Log): void {
  const settings = { initialWindowSize: STREAM_WINDOW, maxConcurrentStreams: MAX_STREAMS }
  const server = createServer({ settings }, (request, response) => void listener(request, response))
  server.on('session', (session) => session.setLocalWindowSize(SESSION_WINDOW))
  server.on('sessionError', (error) => log.debug('tunnel session failed', { reason: reasonOf(error) }))
  server.emit('connection', tunnel)
}
