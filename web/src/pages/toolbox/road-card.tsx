import type { Toolbox } from '@agentopia/api'
import { ArrowLeftRight } from 'lucide-react'
import { useState } from 'react'
import { useMay } from '../../api/me.ts'
import { Button } from '../../parts/button.tsx'
import { Card, CardHeader } from '../../parts/card.tsx'
import { Facts } from '../../parts/facts.tsx'
import { canChangeRoad, ROAD_WORDS } from '../../words/road-change.ts'
import { ChangeRoad } from './change-road.tsx'
import { LastRoadChange } from './last-road-change.tsx'

/** Who dials whom, and how the last change of that went. */
export function RoadCard({ toolbox }: { toolbox: Toolbox }) {
  const [isAsked, setAsked] = useState(false)
  const may = useMay('operator')
  const { connected, direct, publicIpAddress, roadChange } = toolbox
  const [name, meaning] = ROAD_WORDS[direct ? 'direct' : 'tunnel']
  return (
    <Card>
      <CardHeader title="Road">
        {may && canChangeRoad(toolbox) && (
          <Button size="small" onClick={() => setAsked(true)}>
            <ArrowLeftRight />
            Change road
          </Button>
        )}
      </CardHeader>
      <div className="flex flex-col gap-4 p-4">
        <Facts
          facts={[
            [name, connected ? 'open' : 'closed'],
            direct && ['Dialled at', `${direct.address ?? publicIpAddress ?? 'not known yet'}, port ${direct.port}`],
          ]}
        />
        <p className="text-pretty text-ink-soft">{meaning}</p>
        {roadChange && <LastRoadChange change={roadChange} />}
      </div>
      {isAsked && <ChangeRoad toolbox={toolbox} onClose={() => setAsked(false)} />}
    </Card>
  )
}
