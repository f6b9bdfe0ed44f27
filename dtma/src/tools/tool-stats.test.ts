import { expect, test } from 'vitest'
import { statsOf } from './tool-stats.ts'

const sample = (read: string, cpuNs: number, stats: object) => ({
  read,
  cpu_stats: { cpu_usage: { total_usage: cpuNs }, online_cpus: 2 },
  memory_stats: { usage: 100_000_000, limit: 268_435_456, stats },
  pids_stats: { current: 7 },
  networks: { eth0: { rx_bytes: 10, tx_bytes: 1 }, eth1: { rx_bytes: 5, tx_bytes: 2 } },
})

test('CPU is what was used between two samples, in whole CPUs; memory is without what the kernel would give up', () => {
  const first = statsOf(sample('2026-01-01T00:00:00.000Z', 1e9, { inactive_file: 40_000_000 }), undefined)
  expect(first.stats).toMatchObject({
    cpus: 0,
    memoryBytes: 60_000_000,
    networkRxBytes: 15,
    networkTxBytes: 3,
    pids: 7,
  })
  const second = statsOf(sample('2026-01-01T00:00:02.000Z', 4e9, { total_inactive_file: 10_000_000 }), first.sample)
  expect(second.stats).toMatchObject({ at: '2026-01-01T00:00:02.000Z', cpus: 1.5, memoryBytes: 90_000_000 })
})

test('a kernel that counts less, and no network, make zeros', () => {
  const bare = { read: '2026-01-01T00:00:00Z', cpu_stats: { cpu_usage: {} }, memory_stats: {} }
  expect(statsOf(bare, undefined).stats).toMatchObject({ cpus: 0, memoryBytes: 0, pids: 0, networkRxBytes: 0 })
})
