import { ProblemError } from '@agentopia/api'
import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query'

/** @param onSignedOut Called when the server no longer knows who this is. */
export function createQueryClient(onSignedOut: () => void): QueryClient {
  const onError = (error: Error) => {
    if (error instanceof ProblemError && error.code === 'unauthenticated') onSignedOut()
  }
  return new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      // What changed is told by hints; this only bounds how old an answer may be when a page is opened again.
      queries: { staleTime: 20_000, gcTime: 300_000, networkMode: 'always', retry, refetchOnReconnect: false },
      mutations: { networkMode: 'always', retry: false },
    },
  })
}

/** Reads are tried again when the server said it may help, or said nothing. */
const retry = (failures: number, error: Error): boolean =>
  failures < 2 && (error instanceof ProblemError ? error.kind.retryable : true)
