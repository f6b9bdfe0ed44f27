import { expect, test } from 'vitest'
import { afterPing, HEALTHY, type Verdict } from './health.ts'

/** `.` an answer, `x` none. */
function after(pings: string): Verdict {
  let verdict: Verdict = { health: HEALTHY, nextMs: 0, restart: false }
  for (const ping of pings) verdict = afterPing(verdict.health, ping === '.')
  return verdict
}
const inShort = ({ health, nextMs, restart }: Verdict) =>
  `${health.state} ${nextMs / 1_000} s${restart ? ' restart' : ''}`

test.each([
  ['.', 'healthy 30 s'],
  ['x', 'healthy 5 s'],
  ['xx', 'healthy 5 s'],
  ['xx.', 'healthy 30 s'],
  ['xxx', 'unhealthy 5 s'],
  ['xxx.', 'unhealthy 5 s'],
  ['xxx.x', 'unhealthy 5 s'],
  ['xxx.x.', 'unhealthy 5 s'],
  ['xxx..', 'healthy 30 s'],
  ['xxxxx', 'unhealthy 5 s'],
  ['xxxxxx', 'unhealthy 5 s restart'],
  ['xx.xx.xx.xx', 'healthy 5 s'],
])('after the pings %s a server is %s', (pings, expected) => {
  expect(inShort(after(pings))).toBe(expected)
})
