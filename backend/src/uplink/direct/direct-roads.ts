import type { Log } from '../../log.ts'
import type { Clock } from '../../reconcile/clock.ts'
import { type DtmaAnswer, type DtmaRequest, type DtmaSession, openSession } from '../dtma-session.ts'
import { type DialTarget, dialDtma } from './dial.ts'

/** Connections that we dial ourselves, at most one a toolbox; opened when they are needed, and kept. */
export interface DirectRoads {
  /** @throws {DialError} When there is no connection and none could be made. */
  request(toolboxId: string, target: DialTarget, request: DtmaRequest): Promise<DtmaAnswer>
  /** Dials unless it is open already; resolves when it is. @throws {DialError} */
  open(toolboxId: string, target: DialTarget): Promise<void>
  /** Since when it has been open; `undefined` when it is not. */
  openSince(toolboxId: string): Date | undefined
  /** Requests over it that have no whole answer yet. */
  inFlight(toolboxId: string): number
  close(toolboxId: string): void
  closeAll(): void
}

export interface DirectRoadsDeps {
  readonly mayDial: (address: string) => boolean
  readonly log: Log
  readonly clock: Pick<Clock, 'now' | 'steady'>
  /** Called after a connection opened or closed. */
  readonly onChange: (toolboxId: string) => void
}

interface Road {
  /** All that it was dialled by: another address or another key means another road. */
  readonly key: string
  readonly session: Promise<DtmaSession>
  since?: Date
  opened?: DtmaSession
  close(): void
}

const PING_MS = 10_000
/** So many pings in a row without an answer end the connection. */
const MOST_UNANSWERED = 2

export function createDirectRoads({ mayDial, log, clock, onChange }: DirectRoadsDeps): DirectRoads {
  const roads = new Map<string, Road>()

  /** The road by which this very target is reached. What leads elsewhere is closed first. */
  function roadTo(toolboxId: string, target: DialTarget): Road {
    const key = JSON.stringify([target.host, target.port, target.publicKey])
    const present = roads.get(toolboxId)
    if (present?.key === key) return present
    present?.close()
    const gone = new AbortController()
    const road: Road = {
      key,
      close: () => {
        if (roads.get(toolboxId) === road) roads.delete(toolboxId)
        gone.abort(new Error('the direct road is closed'))
      },
      session: connected(),
    }

    async function connected(): Promise<DtmaSession> {
      const socket = await dialDtma(target, { mayDial, signal: gone.signal })
      const session = openSession('direct road', socket, clock)
      const cut = () => socket.destroy()
      gone.signal.addEventListener('abort', cut)
      if (gone.signal.aborted) cut()
      let unanswered = 0
      const pinging = setInterval(() => {
        if (unanswered >= MOST_UNANSWERED) return cut()
        unanswered += 1
        session.ping(() => {
          unanswered = 0
        })
      }, PING_MS)
      socket.once('close', () => {
        clearInterval(pinging)
        road.close()
        log.info({ toolboxId }, 'direct road closed')
        onChange(toolboxId)
      })
      road.since = new Date(clock.now())
      road.opened = session
      log.info({ toolboxId, host: target.host, port: target.port }, 'direct road open')
      return session
    }

    roads.set(toolboxId, road)
    road.session.then(
      () => onChange(toolboxId),
      () => road.close(),
    )
    return road
  }

  return {
    async request(toolboxId, target, request) {
      const session = await orAborted(roadTo(toolboxId, target).session, request.signal)
      return session.request(request)
    },
    async open(toolboxId, target) {
      await roadTo(toolboxId, target).session
    },
    openSince: (toolboxId) => roads.get(toolboxId)?.since,
    inFlight: (toolboxId) => roads.get(toolboxId)?.opened?.inFlight ?? 0,
    close: (toolboxId) => roads.get(toolboxId)?.close(),
    closeAll() {
      for (const road of [...roads.values()]) road.close()
    },
  }
}

/** Others may be waiting for the same dial: who gives up leaves it to them. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason)
    if (signal.aborted) leave()
    signal.addEventListener('abort', leave)
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
  })
}
