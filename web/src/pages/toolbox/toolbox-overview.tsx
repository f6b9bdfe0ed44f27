import type { Toolbox } from '@agentopia/api'
import { Card, CardHeader } from '../../parts/card.tsx'
import { CopyableId } from '../../parts/copyable.tsx'
import { Facts } from '../../parts/facts.tsx'
import { Meter } from '../../parts/meter.tsx'
import { RelativeTime } from '../../parts/relative-time.tsx'
import { bytes, percent } from '../../words/quantity.ts'
import { fullTime, spanOf } from '../../words/relative-time.ts'
import { PROVIDER_WORDS, skewWords } from '../../words/toolbox-status.ts'
import { ProvisionCard } from '../provision/provision-card.tsx'
import { DtmaCard } from './dtma-card.tsx'
import { RoadCard } from './road-card.tsx'
import { StatusCard } from './status-card.tsx'
import { ToolboxTools } from './toolbox-tools.tsx'

/** What is true of the toolbox, and what runs on it. */
export const ToolboxOverview = ({ toolbox }: { toolbox: Toolbox }) => (
  <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,5fr)_minmax(0,3fr)]">
    <div className="flex min-w-0 flex-col gap-5">
      <StatusCard toolbox={toolbox} />
      <ToolboxTools toolboxId={toolbox.id} />
    </div>
    <div className="flex min-w-0 flex-col gap-5">
      {/* A droplet is what people have to do something with. */}
      {isDroplet(toolbox) && <ProvisionCard toolbox={toolbox} />}
      <Machine toolbox={toolbox} />
      <DtmaCard toolbox={toolbox} />
      <RoadCard toolbox={toolbox} />
      <Identity toolbox={toolbox} />
      {!isDroplet(toolbox) && <ProvisionCard toolbox={toolbox} />}
    </div>
  </div>
)

const isDroplet = ({ provider }: Toolbox) => provider === 'digitalocean'

function Machine({ toolbox: { system, docker, connected } }: { toolbox: Toolbox }) {
  return (
    <Card>
      <CardHeader title="Machine" note={connected ? undefined : 'as it was last heard'} />
      {system ? (
        <div className="flex flex-col gap-4 p-4">
          <Meter label="CPU" share={system.cpuUsage} note={`${percent(system.cpuUsage)} of ${system.cpus} CPUs`} />
          <Meter
            label="Memory"
            share={system.memoryUsedBytes / system.memoryBytes}
            note={`${bytes(system.memoryUsedBytes)} of ${bytes(system.memoryBytes)}`}
          />
          <Meter
            label="Disk"
            share={system.diskUsedBytes / system.diskBytes}
            note={`${bytes(system.diskUsedBytes)} of ${bytes(system.diskBytes)}`}
          />
          <Facts
            className="mt-1"
            facts={[
              ['Load', system.loadAverage.toFixed(2)],
              ['Up for', spanOf(system.uptimeSeconds * 1_000)],
              docker && ['Docker', docker.state === 'ok' ? (docker.version ?? 'ok') : `${docker.state}`],
            ]}
          />
        </div>
      ) : (
        <p className="p-4 text-ink-faint">The first full report has not come yet.</p>
      )}
    </Card>
  )
}

function Identity({ toolbox }: { toolbox: Toolbox }) {
  const { machine, publicIpAddress, createdAt, provider, clockSkewSeconds } = toolbox
  return (
    <Card>
      <CardHeader title="Identity" />
      <Facts
        className="p-4"
        facts={[
          ['Id', <CopyableId key="id" id={toolbox.id} />],
          ['Provider', PROVIDER_WORDS[provider]],
          machine && ['Host name', machine.hostname],
          // That of a droplet is with its provisioning.
          !isDroplet(toolbox) &&
            publicIpAddress !== undefined && ['Address', <CopyableId key="ip" id={publicIpAddress} />],
          clockSkewSeconds !== undefined && ['Clock', skewWords(clockSkewSeconds)],
          [
            'Created',
            <span key="created" title={fullTime(createdAt)}>
              <RelativeTime at={createdAt} />
            </span>,
          ],
        ]}
      />
    </Card>
  )
}
