import { getToolbox, listToolboxes, type Toolbox } from '@agentopia/api'
import { type QueryClient, useQuery } from '@tanstack/react-query'
import { appendSample, type MetricSample } from './metric-samples.ts'

const keyOf = (toolboxId: string) => ['metric-history', toolboxId] as const

/** Remembers the figures of each toolbox as they pass by, for as long as the page is open. @returns what ends it. */
export function collectMetricHistory(queries: QueryClient): () => void {
  return queries.getQueryCache().subscribe((event) => {
    if (event.type !== 'updated' || event.action.type !== 'success') return
    const [id] = event.query.queryKey
    const data = event.query.state.data
    if (id === getToolbox.id) remember(queries, data as Toolbox)
    if (id === listToolboxes.id) for (const toolbox of (data as { items: Toolbox[] }).items) remember(queries, toolbox)
  })
}

function remember(queries: QueryClient, { id, system, lastHeartbeatAt }: Toolbox): void {
  if (!system || lastHeartbeatAt === undefined) return
  const { cpuUsage, memoryBytes, memoryUsedBytes, networkRxBytes, networkTxBytes } = system
  const sample = {
    at: Date.parse(lastHeartbeatAt),
    cpu: cpuUsage,
    memory: memoryUsedBytes / memoryBytes,
    receivedBytes: networkRxBytes,
    sentBytes: networkTxBytes,
  }
  queries.setQueryData<readonly MetricSample[]>(keyOf(id), (samples = []) => appendSample(samples, sample))
}

/** What was seen of a toolbox since the page was opened, oldest first. */
export const useMetricHistory = (toolboxId: string): readonly MetricSample[] =>
  useQuery<readonly MetricSample[]>({
    queryKey: keyOf(toolboxId),
    queryFn: () => [],
    enabled: false,
    staleTime: Infinity,
  }).data ?? []
