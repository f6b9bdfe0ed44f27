import type { DtmaStatus } from '../contract/status.ts'
import { ToolState } from '../contract/tool.ts'

export const PROMETHEUS_TEXT = 'text/plain; version=0.0.4; charset=utf-8'

/** The status as Prometheus reads it (text format 0.0.4). Names and labels are of ours alone: nothing of a tool's own words. */
export function prometheusOf({ version, uptimeSeconds, docker, system, tools }: DtmaStatus): string {
  const lines: string[] = []
  const metric = (
    name: string,
    type: 'gauge' | 'counter',
    help: string,
    values: readonly (readonly [string, number])[],
  ) => {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`)
    for (const [labels, value] of values) lines.push(`${name}${labels === '' ? '' : `{${labels}}`} ${value}`)
  }
  const one = (value: number) => [['', value]] as const
  const of = (tool: string) => `tool="${tool}"`

  metric('dtma_info', 'gauge', 'Always 1; the label says which version runs.', [[`version="${version}"`, 1]])
  metric('dtma_uptime_seconds', 'gauge', 'Since this run of DTMA began.', one(uptimeSeconds))
  metric('dtma_docker_up', 'gauge', 'Whether Docker answers.', one(docker.state === 'ok' ? 1 : 0))
  metric(
    'dtma_isolation_ok',
    'gauge',
    'Whether the last probe reached nothing.',
    one(docker.isolation?.state === 'ok' ? 1 : 0),
  )
  metric('dtma_machine_cpus', 'gauge', 'CPUs of the machine.', one(system.cpus))
  metric('dtma_machine_cpu_usage_ratio', 'gauge', 'Share of all CPUs in use, 0 to 1.', one(system.cpuUsage))
  metric('dtma_machine_memory_bytes', 'gauge', 'Memory of the machine.', one(system.memoryBytes))
  metric('dtma_machine_memory_used_bytes', 'gauge', 'Memory in use.', one(system.memoryUsedBytes))
  metric('dtma_machine_disk_bytes', 'gauge', "File system of DTMA's data.", one(system.diskBytes))
  metric('dtma_machine_disk_used_bytes', 'gauge', 'Used of it.', one(system.diskUsedBytes))
  metric('dtma_machine_network_receive_bytes_total', 'counter', 'Since boot.', one(system.networkRxBytes))
  metric('dtma_machine_network_transmit_bytes_total', 'counter', 'Since boot.', one(system.networkTxBytes))
  metric(
    'dtma_tools',
    'gauge',
    'Tools in each state.',
    ToolState.options.map(
      (state) => [`state="${state}"`, tools.filter((tool) => tool.state === state).length] as const,
    ),
  )
  const each = (figure: (tool: DtmaStatus['tools'][number]) => number) =>
    tools.map((tool) => [of(tool.name), figure(tool)] as const)
  metric(
    'dtma_tool_up',
    'gauge',
    'Whether the tool runs and answers.',
    each(({ state }) => (state === 'running' ? 1 : 0)),
  )
  metric(
    'dtma_tool_generation',
    'gauge',
    'Generation that was accepted.',
    each(({ generation }) => generation),
  )
  metric(
    'dtma_tool_restarts_total',
    'counter',
    'Restarts since its spec was accepted.',
    each(({ restarts }) => restarts),
  )
  return `${lines.join('\n')}\n`
}
