import { followInstanceLogs, type LogLine, ProblemError, readEventStream } from '@agentopia/api'
import { useEffect, useState } from 'react'
import { backoffMs } from './backoff.ts'
import { openStream } from './client.ts'
import { appendLines, type NumberedLine } from './log-lines.ts'
import { pause } from './pause.ts'
import { readable } from './readable.ts'

export interface Log {
  readonly lines: readonly NumberedLine[]
  readonly state: 'opening' | 'open' | 'waiting' | 'off'
  /** Why it is not open. */
  readonly error: unknown
  readonly clear: () => void
}

interface Source {
  readonly toolboxId: string
  readonly instanceId: string
}

/** Lines are drawn in batches: a chatty tool must not freeze the page. */
const DRAW_MS = 120
const TAIL = 500

/** Reads the log of a tool instance and, while `follow` is on, keeps reading; comes back by itself where it stopped. */
export function useLog({ toolboxId, instanceId }: Source, follow: boolean): Log {
  const [lines, setLines] = useState<readonly NumberedLine[]>([])
  const [state, setState] = useState<Log['state']>('opening')
  const [error, setError] = useState<unknown>()

  useEffect(() => {
    if (!follow) {
      setState('off')
      return
    }
    const leaving = new AbortController()
    const { signal } = leaving
    let gathered: LogLine[] = []
    let last: string | undefined
    let failures = 0
    const draw = setInterval(() => {
      if (gathered.length === 0) return
      const batch = gathered
      gathered = []
      setLines((known) => appendLines(known, batch))
    }, DRAW_MS)

    async function readOnce(): Promise<void> {
      const query = last === undefined ? { tail: TAIL } : { since: last }
      const input = { params: { toolboxId, instanceId }, query: { ...query, follow: 'true' } }
      const response = await openStream(followInstanceLogs, input, signal)
      setState('open')
      setError(undefined)
      for await (const { data } of readEventStream(readable(response), followInstanceLogs.event)) {
        failures = 0
        last = data.at
        gathered.push(data)
      }
    }

    async function readOn(): Promise<void> {
      while (!signal.aborted) {
        try {
          await readOnce()
        } catch (failure) {
          if (signal.aborted) return
          setError(failure)
          if (failure instanceof ProblemError && failure.kind.status === 404) return setState('off')
        }
        setState('waiting')
        await pause(backoffMs(failures++, Math.random()), signal)
      }
    }

    setState('opening')
    void readOn()
    return () => {
      leaving.abort()
      clearInterval(draw)
      if (gathered.length > 0) setLines((known) => appendLines(known, gathered))
    }
  }, [toolboxId, instanceId, follow])

  return { lines, state, error, clear: () => setLines([]) }
}
