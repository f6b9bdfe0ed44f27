import { readFileSync, statfsSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import type { SystemMetrics } from '../contract/status.ts'
import { cpuTimeOf, metricsOf, type SystemReading } from './metrics.ts'

export interface SystemMonitor {
  /** As of the last sample, at most a few seconds old. */
  readonly metrics: SystemMetrics
}

const SAMPLE_EVERY_MS = 5_000

/** Samples the machine until `signal` aborts. @param directory Whose file system's space is reported. */
export function startSystemMonitor(directory: string, signal: AbortSignal): SystemMonitor {
  let reading = readSystem(directory)
  let metrics = metricsOf(reading, { busy: 0, total: 0 })
  const timer = setInterval(() => {
    const before = cpuTimeOf(reading.stat)
    reading = readSystem(directory)
    metrics = metricsOf(reading, before)
  }, SAMPLE_EVERY_MS)
  timer.unref()
  signal.addEventListener('abort', () => clearInterval(timer), { once: true })
  return {
    get metrics() {
      return metrics
    },
  }
}

function readSystem(directory: string): SystemReading {
  const disk = diskOf(directory)
  return {
    stat: textOf('/proc/stat'),
    meminfo: textOf('/proc/meminfo'),
    netDev: textOf('/proc/net/dev'),
    loadavg: textOf('/proc/loadavg'),
    uptime: textOf('/proc/uptime'),
    cpus: cpus().length || availableParallelism(),
    ...(disk ? { disk } : {}),
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // not Linux, or hidden from us: the figure is zero
  }
}

function diskOf(directory: string): SystemReading['disk'] {
  for (const path of [directory, '/']) {
    try {
      const { blocks, bavail, bsize } = statfsSync(path)
      return { bytes: blocks * bsize, freeBytes: bavail * bsize }
    } catch {
      // Not there yet: the root's space is the best that is known.
    }
  }
  return undefined
}
