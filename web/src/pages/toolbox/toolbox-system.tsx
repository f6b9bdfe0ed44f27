import type { Toolbox } from '@agentopia/api'
import { useMetricHistory } from '../../api/metric-history.ts'
import { ratesOf } from '../../api/metric-samples.ts'
import { Card, CardHeader } from '../../parts/card.tsx'
import { Facts } from '../../parts/facts.tsx'
import { Meter } from '../../parts/meter.tsx'
import { RelativeTime } from '../../parts/relative-time.tsx'
import { Sparkline } from '../../parts/sparkline.tsx'
import { bytes, percent } from '../../words/quantity.ts'
import { spanOf } from '../../words/relative-time.ts'
import { isolationWords } from '../../words/toolbox-status.ts'

const perSecond = (value: number): string => `${bytes(value)}/s`

/** The machine under the toolbox, as its DTMA reports it. */
export function ToolboxSystem({ toolbox }: { toolbox: Toolbox }) {
  const samples = useMetricHistory(toolbox.id)
  const { system, docker, machine, dtmaVersion, lastHeartbeatAt } = toolbox
  if (!system) return <p className="text-ink-faint">The first full report has not come yet.</p>
  return (
    <div className="flex flex-col gap-5">
      <div className="grid gap-5 md:grid-cols-2">
        <Chart
          title="CPU"
          now={percent(system.cpuUsage)}
          note={`${system.cpus} CPUs, load ${system.loadAverage.toFixed(2)}`}
        >
          <Sparkline
            label="CPU in use"
            points={samples.map(({ at, cpu }) => ({ at, value: cpu }))}
            top={1}
            words={percent}
          />
        </Chart>
        <Chart
          title="Memory"
          now={percent(system.memoryUsedBytes / system.memoryBytes)}
          note={`${bytes(system.memoryUsedBytes)} of ${bytes(system.memoryBytes)}`}
        >
          <Sparkline
            label="Memory in use"
            points={samples.map(({ at, memory }) => ({ at, value: memory }))}
            top={1}
            words={percent}
          />
        </Chart>
        <Chart
          title="Received"
          now={rateNow(ratesOf(samples, 'receivedBytes'))}
          note={`${bytes(system.networkRxBytes)} since it started`}
        >
          <Sparkline label="Bytes received per second" points={ratesOf(samples, 'receivedBytes')} words={perSecond} />
        </Chart>
        <Chart
          title="Sent"
          now={rateNow(ratesOf(samples, 'sentBytes'))}
          note={`${bytes(system.networkTxBytes)} since it started`}
        >
          <Sparkline label="Bytes sent per second" points={ratesOf(samples, 'sentBytes')} words={perSecond} />
        </Chart>
      </div>
      <div className="grid items-start gap-5 md:grid-cols-2">
        <Card>
          <CardHeader title="Disk" note="where DTMA keeps its data" />
          <div className="p-4">
            <Meter
              label="In use"
              share={system.diskUsedBytes / system.diskBytes}
              note={`${bytes(system.diskUsedBytes)} of ${bytes(system.diskBytes)}`}
            />
          </div>
        </Card>
        <Card>
          <CardHeader title="Software" />
          <Facts
            className="p-4"
            facts={[
              machine && ['System', `${machine.os} (${machine.arch})`],
              machine && ['Host name', machine.hostname],
              ['Docker', docker ? `${docker.version ?? ''} ${docker.state}`.trim() : 'not known'],
              docker?.message !== undefined && ['', docker.message],
              docker?.isolation !== undefined && ['Tools are kept apart', isolationWords(docker.isolation)],
              ['DTMA', dtmaVersion ?? 'not known'],
              ['Up for', spanOf(system.uptimeSeconds * 1_000)],
              lastHeartbeatAt !== undefined && ['Reported', <RelativeTime key="at" at={lastHeartbeatAt} />],
            ]}
          />
        </Card>
      </div>
      <p className="text-ink-faint text-xs">Charts begin when the page was opened, at most one hour ago.</p>
    </div>
  )
}

const rateNow = (rates: readonly { readonly value: number }[]): string => {
  const last = rates.at(-1)
  return last ? perSecond(last.value) : '–'
}

const Chart = ({
  title,
  now,
  note,
  children,
}: {
  title: string
  now: string
  note: string
  children: React.ReactNode
}) => (
  <Card className="overflow-hidden">
    <div className="flex items-baseline gap-2 px-4 pt-3.5">
      <h2 className="text-ink-soft">{title}</h2>
      <span className="font-semibold text-lg tabular-nums">{now}</span>
      <span className="ml-auto truncate text-ink-faint text-xs tabular-nums">{note}</span>
    </div>
    {children}
  </Card>
)
