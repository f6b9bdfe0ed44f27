import { useRouter } from '@tanstack/react-router'
import { useEffect } from 'react'

/**
 * Once `ready`, fetches the code of every page and of what else is loaded late. While the control plane is away one can
 * then still look around; and a page that is opened is there at once.
 */
export function useAllPages(ready: boolean, others: readonly (() => Promise<unknown>)[]): void {
  const router = useRouter()
  useEffect(() => {
    if (!ready) return
    const loading = [
      ...Object.values(router.routesById).map((route) => router.loadRouteChunk(route)),
      ...others.map((load) => load()),
    ]
    // What could not be fetched now is fetched when it is opened, and that failure is shown.
    void Promise.allSettled(loading)
  }, [ready, router, others])
}
