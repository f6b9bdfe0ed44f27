import * as z from 'zod/mini'
import type { ToolStats } from '../contract/event.ts'
import type { DockerApi } from '../engine/docker.api.ts'
import type { AcceptedTool } from './spec-file.ts'

/** The parts of Docker's answer that we read; what a kernel does not count is absent. */
const count = z._default(z.number(), 0)
const Sample = z.object({
  read: z.string(),
  cpu_stats: z.object({ cpu_usage: z.object({ total_usage: count }) }),
  memory_stats: z.object({ usage: count, limit: count, stats: z._default(z.record(z.string(), z.number()), {}) }),
  pids_stats: z._default(z.object({ current: count }), { current: 0 }),
  networks: z._default(z.record(z.string(), z.object({ rx_bytes: count, tx_bytes: count })), {}),
})
type Sample = z.infer<typeof Sample>

/** @param before The sample before, of the same container; absent: nothing is known of the CPU yet. */
export function statsOf(
  raw: unknown,
  before: Sample | undefined,
): { readonly stats: ToolStats; readonly sample: Sample } {
  const sample = Sample.parse(raw)
  const { usage, limit, stats } = sample.memory_stats
  const networks = Object.values(sample.networks)
  const cpuOf = ({ cpu_stats }: Sample) => cpu_stats.cpu_usage.total_usage / 1e6
  const ms = before ? Date.parse(sample.read) - Date.parse(before.read) : 0
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
  return {
    sample,
    stats: {
      at: new Date(sample.read).toISOString(),
      cpus: before && ms > 0 ? Math.max(0, (cpuOf(sample) - cpuOf(before)) / ms) : 0,
      // The first name is that of cgroup v1, the second of v2.
      memoryBytes: Math.max(0, usage - (stats['total_inactive_file'] ?? stats['inactive_file'] ?? 0)),
      memoryLimitBytes: limit,
      pids: sample.pids_stats.current,
      networkRxBytes: sum(networks.map(({ rx_bytes }) => rx_bytes)),
      networkTxBytes: sum(networks.map(({ tx_bytes }) => tx_bytes)),
    },
  }
}

export interface ToolStatsDeps {
  readonly docker: Pick<DockerApi, 'containerStats' | 'inspectContainer'>
  /** `undefined`: the tool was deleted. */
  readonly find: (name: string) => AcceptedTool | undefined
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
}

const EVERY_MS = 2_000

/** Measures a tool every two seconds, across restarts; says nothing while it does not run. Ends when the tool is deleted. */
export async function* toolStats(
  { docker, find, sleep }: ToolStatsDeps,
  name: string,
  signal: AbortSignal,
): AsyncGenerator<ToolStats> {
  let last: { readonly container: string; readonly startedAt: string; readonly sample: Sample } | undefined
  for (let tool = find(name); tool && !signal.aborted; tool = find(name)) {
    const { containerId } = tool
    const container = containerId === undefined ? undefined : await docker.inspectContainer(containerId, signal)
    if (container?.State.Running) {
      const { Id, State } = container
      const before = last?.container === Id && last.startedAt === State.StartedAt ? last.sample : undefined
      const { stats, sample } = statsOf(await docker.containerStats(Id, signal), before)
      last = { container: Id, startedAt: State.StartedAt, sample }
      yield stats
    }
    await sleep(EVERY_MS, signal)
  }
}
