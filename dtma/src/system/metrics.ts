import type { SystemMetrics } from '../contract/status.ts'

/** What was read of the machine at one moment. The texts are those of /proc; empty when a file cannot be read. */
export interface SystemReading {
  readonly stat: string
  readonly meminfo: string
  readonly netDev: string
  readonly loadavg: string
  readonly uptime: string
  /** Of the file system that holds DTMA's data; absent: it cannot be asked. */
  readonly disk?: { readonly bytes: number; readonly freeBytes: number }
  readonly cpus: number
}

/** CPU time of all CPUs since boot, in ticks. */
export interface CpuTime {
  readonly busy: number
  readonly total: number
}

/** /proc/stat and /proc/meminfo speak of the machine, also inside of a container; /proc/net/dev of our own network. */
export function metricsOf(reading: SystemReading, before: CpuTime): SystemMetrics {
  const now = cpuTimeOf(reading.stat)
  const elapsed = now.total - before.total
  const memory = kibOf(reading.meminfo, 'MemTotal')
  const network = networkOf(reading.netDev)
  const { bytes = 0, freeBytes = 0 } = reading.disk ?? {}
  return {
    cpus: reading.cpus,
    cpuUsage: elapsed > 0 ? Math.min(Math.max((now.busy - before.busy) / elapsed, 0), 1) : 0,
    memoryBytes: memory * 1024,
    memoryUsedBytes: (memory - kibOf(reading.meminfo, 'MemAvailable')) * 1024,
    diskBytes: bytes,
    diskUsedBytes: bytes - freeBytes,
    networkRxBytes: network.rx,
    networkTxBytes: network.tx,
    loadAverage: firstNumber(reading.loadavg),
    uptimeSeconds: Math.floor(firstNumber(reading.uptime)),
  }
}

/** First line of /proc/stat: user nice system idle iowait irq softirq steal … */
export function cpuTimeOf(stat: string): CpuTime {
  const times = /^cpu +(.*)$/m.exec(stat)?.[1]?.split(' ').map(Number).slice(0, 8) ?? []
  const total = times.reduce((sum, time) => sum + time, 0)
  return { total, busy: total - (times[3] ?? 0) - (times[4] ?? 0) }
}

const kibOf = (meminfo: string, field: string): number =>
  Number(new RegExp(`^${field}: +(\\d+) kB$`, 'm').exec(meminfo)?.[1] ?? 0)

/** Not the machine's traffic with itself: loopback, and what Docker makes for containers. */
const VIRTUAL = /^(?:lo|docker|br-|veth|virbr|tun|tap|cni|flannel)/

function networkOf(netDev: string): { rx: number; tx: number } {
  let [rx, tx] = [0, 0]
  for (const line of netDev.split('\n')) {
    const [name, counters] = line.trim().split(/:\s*/, 2)
    if (!name || !counters || VIRTUAL.test(name)) continue
    const values = counters.split(/\s+/).map(Number)
    rx += values[0] ?? 0
    tx += values[8] ?? 0
  }
  return { rx, tx }
}

const firstNumber = (text: string): number => Number.parseFloat(text) || 0
