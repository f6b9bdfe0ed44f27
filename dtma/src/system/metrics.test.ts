import { expect, test } from 'vitest'
import { cpuTimeOf, metricsOf } from './metrics.ts'

const reading = {
  stat: 'cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1 2 3\nintr 5',
  meminfo: 'MemTotal:        2048 kB\nMemFree:          100 kB\nMemAvailable:     512 kB\n',
  netDev: [
    'Inter-|   Receive                                                |  Transmit',
    ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets',
    '    lo:  999 1 0 0 0 0 0 0 999 1 0 0 0 0 0 0',
    '  eth0: 1000 1 0 0 0 0 0 0 2000 1 0 0 0 0 0 0',
    'docker0:  77 1 0 0 0 0 0 0 77 1 0 0 0 0 0 0',
    'enp3s0:10 1 0 0 0 0 0 0 20 1 0 0 0 0 0 0',
  ].join('\n'),
  loadavg: '0.42 0.30 0.20 1/100 1234\n',
  uptime: '12345.67 20000.00\n',
  disk: { bytes: 1_000, freeBytes: 400 },
  cpus: 2,
}

test('the texts of /proc become the figures of the machine', () => {
  expect(metricsOf(reading, { busy: 50, total: 500 })).toEqual({
    cpus: 2,
    cpuUsage: 0.2,
    memoryBytes: 2048 * 1024,
    memoryUsedBytes: 1536 * 1024,
    diskBytes: 1_000,
    diskUsedBytes: 600,
    networkRxBytes: 1_010,
    networkTxBytes: 2_020,
    loadAverage: 0.42,
    uptimeSeconds: 12_345,
  })
})

test('a machine that shows nothing yields zeros, not nonsense', () => {
  const blind = { stat: '', meminfo: '', netDev: '', loadavg: '', uptime: '', cpus: 1 }
  const metrics = metricsOf(blind, cpuTimeOf(''))
  expect(Object.values(metrics).every(Number.isFinite)).toBe(true)
  expect(metrics.cpuUsage).toBe(0)
})
