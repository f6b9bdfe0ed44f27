import { useEffect, useState } from 'react'
import { serverNow } from './server-clock.ts'

/** The time by the server's clock, told again as often as `stepOf` says. */
export function useNow(stepOf: (now: number) => number = () => 1_000): number {
  const [now, setNow] = useState(serverNow)
  const step = stepOf(now)
  useEffect(() => {
    const timer = setInterval(() => setNow(serverNow()), step)
    return () => clearInterval(timer)
  }, [step])
  return now
}
