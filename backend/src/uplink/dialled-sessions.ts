import type { Socket } from 'node:net'
import type { Log } from '../log.ts'
import type { Clock } from '../reconcile/clock.ts'
import { type DtmaAnswer, type DtmaRequest, type DtmaSession, openSession } from './dtma-session.ts'

/** Connections that we dial ourselves, at most one for each name; opened when they are needed, and kept. */
export interface DialledSessions<Target> {
  /** Rejects as the dial does when there is no connection and none could be made. */
  request(id: string, target: Target, request: DtmaRequest): Promise<DtmaAnswer>
  /** Dials unless it is open already; resolves when it is. */
  open(id: string, target: Target): Promise<void>
  /** Since when it has been open; `undefined` when it is not. */
  openSince(id: string): Date | undefined
  /** Requests over it that have no whole answer yet. */
  inFlight(id: string): number
  close(id: string): void
  closeAll(): void
}

export interface DialledSessionsDeps<Target> {
  /** What leads there, for messages: `direct road`. */
  readonly name: string
  /** All that it is dialled by: another key means another connection. */
  readonly keyOf: (target: Target) => string
  readonly dial: (target: Target, signal: AbortSignal) => Promise<Socket>
  readonly log: Log
  readonly clock: Pick<Clock, 'now' | 'steady'>
  /** Called after a connection opened or closed. */
  readonly onChange: (id: string) => void
}

interface Line {
  readonly key: string
  readonly session: Promise<DtmaSession>
  since?: Date
  opened?: DtmaSession
  close(): void
}

const PING_MS = 10_000
/** So many pings in a row without an answer end the connection. */
const MOST_UNANSWERED = 2

export function createDialledSessions<Target>({
  name,
  keyOf,
  dial,
  log,
  clock,
  onChange,
}: DialledSessionsDeps<Target>): DialledSessions<Target> {
  const lines = new Map<string, Line>()

  /** The line to this very target. What leads elsewhere is closed first. */
  function lineTo(id: string, target: Target): Line {
    const key = keyOf(target)
    const present = lines.get(id)
    if (present?.key === key) return present
    present?.close()
    const gone = new AbortController()
    const line: Line = {
      key,
      close: () => {
        if (lines.get(id) === line) lines.delete(id)
        gone.abort(new Error(`the ${name} is closed`))
      },
      session: connected(),
    }

    async function connected(): Promise<DtmaSession> {
      const socket = await dial(target, gone.signal)
      const session = openSession(name, socket, clock)
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
        line.close()
        log.info({ id }, `${name} closed`)
        onChange(id)
      })
      line.since = new Date(clock.now())
      line.opened = session
      log.info({ id, to: key }, `${name} open`)
      return session
    }

    lines.set(id, line)
    line.session.then(
      () => onChange(id),
      () => line.close(),
    )
    return line
  }

  return {
    async request(id, target, request) {
      const session = await orAborted(lineTo(id, target).session, request.signal)
      return session.request(request)
    },
    async open(id, target) {
      await lineTo(id, target).session
    },
    openSince: (id) => lines.get(id)?.since,
    inFlight: (id) => lines.get(id)?.opened?.inFlight ?? 0,
    close: (id) => lines.get(id)?.close(),
    closeAll() {
      for (const line of [...lines.values()]) line.close()
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
