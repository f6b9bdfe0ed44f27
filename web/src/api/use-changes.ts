import { useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { followAllChanges } from './changes.ts'
import { collectMetricHistory } from './metric-history.ts'

/** Keeps what is shown live, as long as somebody is signed in. @param signedIn Whose changes; absent: nobody's. */
export function useChanges(signedIn: string | undefined): void {
  const queries = useQueryClient()
  useEffect(() => {
    if (signedIn === undefined) return
    const leaving = new AbortController()
    followAllChanges(queries, leaving.signal)
    const stop = collectMetricHistory(queries)
    return () => {
      stop()
      leaving.abort()
    }
  }, [queries, signedIn])
}
