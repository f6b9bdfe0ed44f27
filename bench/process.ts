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

/** Resident memory (`VmRSS`). */
export const residentMibOf = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024

interface Usage {
  readonly cpuMs: number
  readonly memoryMib: number
}

/** Of a process and all that it started: for the control plane, its database too. Shared pages are counted once. */
export function usageOf(pid: number): Usage {
  const memory = /^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]
  const own = { cpuMs: cpuUsOf(pid) / 1_000, memoryMib: Number(memory) / 1_024 }
  return childrenOf(pid).map(usageOf).reduce(sum, own)
}
const sum = (a: Usage, b: Usage): Usage => ({ cpuMs: a.cpuMs + b.cpuMs, memoryMib: a.memoryMib + b.memoryMib })
