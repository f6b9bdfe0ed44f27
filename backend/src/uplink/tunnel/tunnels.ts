import { type Fetch, TUNNEL_BEATS_PROTOCOL, TUNNEL_CLOSE } from '@agentopia/dtma/contract'
import { keepAlive, WsDuplex } from '@agentopia/dtma/tunnel'
import type { WebSocket } from 'ws'
import type { Log } from '../../log.ts'
import type { Clock } from '../../reconcile/clock.ts'
import type { CloseCause, TunnelFacts } from '../../toolboxes/diagnose.ts'
import { type DtmaAnswer, type DtmaRequest, type DtmaSession, openSession } from '../dtma-session.ts'
import type { TakeText } from './tunnel-beats.ts'

/** The open tunnels of this process, at most one a toolbox. */
export interface Tunnels {
  /** Takes over a connection whose owner is known. A newer one of the same toolbox replaces the older. */
  adopt(toolboxId: string, ws: WebSocket): void
  isOpen(toolboxId: string): boolean
  /** The open tunnel as a `fetch`; `undefined` when there is none. */
  fetchOf(toolboxId: string): Fetch | undefined
  /** One request with streams at both ends, for the hot path. `undefined` when there is no tunnel. */
  request(toolboxId: string, request: DtmaRequest): Promise<DtmaAnswer> | undefined
  /** Requests over the tunnel that have no whole answer yet. */
  inFlight(toolboxId: string): number
  factsOf(toolboxId: string): TunnelFacts
  /** Ends the tunnel of a toolbox whose credential no longer holds. */
  revoke(toolboxId: string): void
  /** Breaks the tunnel: its DTMA dials anew, wherever it is let in. */
  drop(toolboxId: string): void
  closeAll(): void
}

export interface TunnelsDeps {
  readonly log: Log
  readonly clock: Pick<Clock, 'now' | 'steady'>
  /** What takes the text messages of a tunnel that carries heartbeats. */
  readonly beatsOf: (send: (text: string) => void) => TakeText
  /** Called after a tunnel opened or closed. */
  readonly onChange: (toolboxId: string) => void
}

interface Open {
  readonly ws: WebSocket
  readonly session: DtmaSession
  readonly since: Date
}

type LastClose = { readonly at: Date; readonly code: number; readonly cause: CloseCause }

/** Toolboxes whose last close is remembered; the oldest is forgotten first. */
const REMEMBERED = 10_000

export function createTunnels({ log, clock, beatsOf, onChange }: TunnelsDeps): Tunnels {
  const open = new Map<string, Open>()
  const lastCloses = new Map<string, LastClose>()

  function adopt(toolboxId: string, ws: WebSocket): void {
    open.get(toolboxId)?.ws.close(TUNNEL_CLOSE.superseded, 'superseded')
    const onText =
      ws.protocol === TUNNEL_BEATS_PROTOCOL
        ? beatsOf((text) => void (ws.readyState === ws.OPEN && ws.send(text)))
        : undefined
    const session = openSession('tunnel', new WsDuplex(ws, onText), clock)
    const mine: Open = { ws, session, since: new Date(clock.now()) }
    open.set(toolboxId, mine)
    let silent = false
    keepAlive(ws, () => {
      silent = true
      ws.terminate()
    })
    ws.once('close', (code) => {
      if (open.get(toolboxId) !== mine) return // replaced: the newer one speaks for the toolbox
      open.delete(toolboxId)
      remember(toolboxId, { at: new Date(clock.now()), code, cause: silent ? 'silent' : causeOf(code) })
      log.info({ toolboxId, code, silent }, 'tunnel closed')
      onChange(toolboxId)
    })
    log.info({ toolboxId }, 'tunnel open')
    onChange(toolboxId)
  }

  function remember(toolboxId: string, close: LastClose): void {
    lastCloses.delete(toolboxId)
    lastCloses.set(toolboxId, close)
    if (lastCloses.size > REMEMBERED) lastCloses.delete(lastCloses.keys().next().value!)
  }

  return {
    adopt,
    isOpen: (toolboxId) => open.has(toolboxId),
    fetchOf: (toolboxId) => open.get(toolboxId)?.session.fetch,
    request: (toolboxId, request) => open.get(toolboxId)?.session.request(request),
    inFlight: (toolboxId) => open.get(toolboxId)?.session.inFlight ?? 0,
    factsOf(toolboxId) {
      const now = open.get(toolboxId)
      if (now) return { open: true, since: now.since }
      const lastClose = lastCloses.get(toolboxId)
      return { open: false, ...(lastClose ? { lastClose } : {}) }
    },
    revoke: (toolboxId) => open.get(toolboxId)?.ws.close(TUNNEL_CLOSE.revoked, 'revoked'),
    drop: (toolboxId) => open.get(toolboxId)?.ws.terminate(),
    closeAll() {
      for (const { ws } of open.values()) ws.close(1001, 'the control plane stops')
    },
  }
}

function causeOf(code: number): CloseCause {
  if (code === TUNNEL_CLOSE.stopping) return 'goodbye'
  if (code === TUNNEL_CLOSE.superseded) return 'superseded'
  return code === TUNNEL_CLOSE.revoked ? 'revoked' : 'broken'
}
