import { readFileSync } from 'node:fs'

/** What Linux counts CPU in: 100 a second, wherever Node runs. */
const TICK_US = 10_000

/** CPU that a process has used itself, in microseconds. */
export function cpuUsOf(pid: number): number {
  const [, after = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')
  const fields = after.split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_US
}

export const childrenOf = (pid: number): readonly number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
