import { type Input, readEventStream, runOverSsh, type SshEvent } from '@agentopia/api'
import { useEffect, useRef, useState } from 'react'
import { openStream } from './client.ts'
import { readable } from './readable.ts'

type SshLine = Extract<SshEvent, { type: 'line' }>
type SshEnd = Extract<SshEvent, { type: 'end' }>

export interface SshRun {
  readonly lines: readonly SshLine[]
  readonly running: boolean
  /** How it ended; absent while it runs, and when it never began. */
  readonly end: SshEnd | undefined
  /** Why it did not begin, or why nothing more is heard of it. */
  readonly error: unknown
  readonly start: (body: Input<typeof runOverSsh>['body']) => void
  /** Ends it on the server, too. */
  readonly stop: () => void
}

const NOTHING = { lines: [], running: false, end: undefined, error: undefined }

/** Runs something over SSH and follows it. Whoever leaves ends it. */
export function useSshRun(toolboxId: string): SshRun {
  const [seen, setSeen] = useState<Omit<SshRun, 'start' | 'stop'>>(NOTHING)
  const leaving = useRef<AbortController>(undefined)
  useEffect(() => () => leaving.current?.abort(), [])

  async function follow(body: Input<typeof runOverSsh>['body'], signal: AbortSignal): Promise<void> {
    try {
      const response = await openStream(runOverSsh, { params: { toolboxId }, body }, signal)
      for await (const { data } of readEventStream(readable(response), runOverSsh.event)) {
        if (data.type === 'line') setSeen((known) => ({ ...known, lines: [...known.lines, data] }))
        else setSeen((known) => ({ ...known, running: false, end: data }))
      }
      setSeen((known) => ({ ...known, running: false }))
    } catch (error) {
      const ended = { type: 'end', ok: false, summary: 'You ended it' } as const
      setSeen((known) => ({ ...known, running: false, ...(signal.aborted ? { end: ended } : { error }) }))
    }
  }

  return {
    ...seen,
    start: (body) => {
      leaving.current?.abort()
      leaving.current = new AbortController()
      setSeen({ ...NOTHING, running: true })
      void follow(body, leaving.current.signal)
    },
    stop: () => leaving.current?.abort(),
  }
}
