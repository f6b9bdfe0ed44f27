import { listToolboxes, type Toolbox } from '@agentopia/api'
import { Link } from '@tanstack/react-router'
import { Plus } from 'lucide-react'
import { useConnection } from '../api/connection.ts'
import { useOperation } from '../api/use-operation.ts'
import { Button } from '../parts/button.tsx'
import { Glyph } from '../parts/glyph.tsx'
import { PageHeader } from '../parts/page-header.tsx'
import { Reading } from '../parts/reading.tsx'
import { Skeleton } from '../parts/skeleton.tsx'
import { count } from '../words/quantity.ts'
import { toolWords } from '../words/tool-counts.ts'
import { byUrgency, fleetHeadline } from '../words/toolbox-status.ts'
import { FirstSteps } from './overview/first-steps.tsx'
import { Fleet } from './overview/fleet.tsx'
import { NoToolbox } from './overview/no-toolbox.tsx'
import { RecentActivity } from './overview/recent-activity.tsx'
import { RecentCalls } from './overview/recent-calls.tsx'
import { RolloutCard } from './overview/rollout-card.tsx'
import { UpdateAll } from './overview/update-all.tsx'
import { AddToolboxButton } from './provision/add-toolbox-button.tsx'

/** The fleet: what needs somebody first, then everything else, then what happened. */
export function OverviewPage() {
  const toolboxes = useOperation(listToolboxes, { query: {} }, { everyMs: 15_000 })
  const present = (toolboxes.data?.items ?? []).filter(({ status }) => status !== 'deprovisioned').toSorted(byUrgency)
  const away = useConnection().state === 'reconnecting'
  const { title, tone } = fleetHeadline(present)
  return (
    <>
      <PageHeader
        tabTitle="Overview"
        title={
          toolboxes.data ? (
            <>
              <Glyph tone={away ? 'idle' : tone} className="size-3.5" />
              {away ? `Last known: ${title}` : title}
            </>
          ) : (
            'Overview'
          )
        }
        note={toolboxes.data ? inShort(present) : <Skeleton className="mt-1.5 w-52" />}
      >
        <UpdateAll toolboxes={present} />
        <AddToolboxButton kind={present.length > 0 ? 'plain' : 'primary'} />
        {present.length > 0 && (
          <Button asChild kind="primary">
            <Link to="/catalog">
              <Plus />
              Deploy a tool
            </Link>
          </Button>
        )}
      </PageHeader>
      <RolloutCard />
      <Reading of={toolboxes} skeleton={<FleetSkeleton />}>
        {() => (present.length === 0 ? <NoToolbox /> : <Fleet toolboxes={present} />)}
      </Reading>
      {toolboxes.data && <FirstSteps toolboxes={present} />}
      <div className="mt-7 grid items-start gap-5 lg:grid-cols-[3fr_2fr]">
        <RecentActivity />
        <RecentCalls />
      </div>
    </>
  )
}

function inShort(toolboxes: readonly Toolbox[]): string {
  if (toolboxes.length === 0) return 'A toolbox is a machine that runs tools for your agents.'
  return `${count(toolboxes.length, 'toolbox', 'toolboxes')}, ${toolWords(toolboxes)}`
}

const FleetSkeleton = () => (
  <div role="status" aria-busy aria-label="Loading" className="grid gap-4 md:grid-cols-2 xl:grid-cols-3">
    {[1, 2, 3].map((card) => (
      <div key={card} className="h-49 rounded-lg border border-line bg-surface p-4">
        <Skeleton className="w-1/3" />
        <Skeleton className="mt-3 h-2 w-full" />
        <Skeleton className="mt-8 h-3 w-full" />
        <Skeleton className="mt-3 h-3 w-2/3" />
      </div>
    ))}
  </div>
)
