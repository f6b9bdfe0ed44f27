import type { DtmaStatus } from '../contract/status.ts'

/** A toolbox on which all is well. */
export const WELL: DtmaStatus = {
  version: '1.2.3',
  apiVersion: 1,
  runId: 'run',
  uptimeSeconds: 60,
  docker: { state: 'ok', version: '28.0.0', isolation: { state: 'ok', checkedAt: '2026-11-23T00:00:00Z', leaks: [] } },
  system: {
    cpus: 2,
    cpuUsage: 0.25,
    memoryBytes: 4 * 2 ** 30,
    memoryUsedBytes: 2 ** 30,
    diskBytes: 50 * 2 ** 30,
    diskUsedBytes: 10 * 2 ** 30,
    networkRxBytes: 100,
    networkTxBytes: 50,
    loadAverage: 0.5,
    uptimeSeconds: 1_000,
  },
  tools: [
    { name: 'mail', generation: 3, desired: 'running', state: 'running', since: '2026-11-23T00:00:00Z', restarts: 2 },
  ],
}
