import { appendImageArchive, ChangeHint, followChanges } from '@agentopia/api'
import type { QueryClient } from '@tanstack/react-query'
import { backoffMs } from './backoff.ts'
import { setConnection } from './connection.ts'
import { readsAfter } from './invalidation.ts'

/** Hints of one moment are answered by one reading. */
const GATHER_MS = 250

/** A page that nobody looks at gives its connection back: browsers grant six to one origin. */
const HIDDEN_MS = 30_000

/** Follows the changes of the account until `signal` aborts, and makes old what they speak of. Connects again by itself. */
export function followAllChanges(queries: QueryClient, signal: AbortSignal): void {
  let source: EventSource | undefined
  let failures = 0
  let brokenSince: number | undefined
  let missed = false
  let retryTimer: ReturnType<typeof setTimeout> | undefined
  let hiddenTimer: ReturnType<typeof setTimeout> | undefined
  let gatherTimer: ReturnType<typeof setTimeout> | undefined
  let hints: ChangeHint[] = []

  function connect(): void {
    if (signal.aborted || source) return
    clearTimeout(retryTimer)
    source = new EventSource(followChanges.path)
    source.onopen = () => {
      failures = 0
      brokenSince = undefined
      setConnection({ state: 'live' })
      if (missed) void queries.invalidateQueries()
      missed = false
    }
    source.onmessage = ({ data }: MessageEvent<string>) => {
      const hint = ChangeHint.safeParse(parseJson(data))
      hints.push(hint.success ? hint.data : { noun: 'everything' })
      gatherTimer ??= setTimeout(answerHints, GATHER_MS)
    }
    source.onerror = () => {
      disconnect()
      // A stream that ends is no absence yet: networks change, a tool's own among them. A refused second try is one.
      brokenSince ??= Date.now()
      setConnection(failures === 0 ? { state: 'connecting' } : { state: 'reconnecting', since: brokenSince })
      // The stream does not say why it ended; a plain read does, and a lost session shows.
      void queries.invalidateQueries({ queryKey: ['getMe'] })
      retryTimer = setTimeout(connect, backoffMs(failures++, Math.random()))
    }
  }

  function disconnect(): void {
    source?.close()
    source = undefined
    missed = true
  }

  function answerHints(): void {
    gatherTimer = undefined
    // Each part of an archive that this page pushes is a change of its own; the push reads once, when it ends.
    const isPushing = queries.isMutating({ mutationKey: [appendImageArchive.id] }) > 0
    const reads = readsAfter(isPushing ? hints.filter(({ noun }) => noun !== 'image') : hints)
    hints = []
    if (reads === 'everything') void queries.invalidateQueries()
    else void queries.invalidateQueries({ predicate: ({ queryKey: [id] }) => reads.has(String(id)) })
  }

  function onVisibility(): void {
    clearTimeout(hiddenTimer)
    if (document.hidden) hiddenTimer = setTimeout(disconnect, HIDDEN_MS)
    else connect()
  }

  document.addEventListener('visibilitychange', onVisibility, { signal })
  window.addEventListener('online', connect, { signal })
  signal.addEventListener('abort', () => {
    disconnect()
    for (const timer of [retryTimer, hiddenTimer, gatherTimer]) clearTimeout(timer)
  })
  connect()
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // not understood is treated as: everything may have changed
  }
}
