import { changeToolboxRoad, DTMA_PORT, ROAD_NAMES, type Road, type Toolbox } from '@agentopia/api'
import { useState } from 'react'
import { useAction } from '../../api/use-action.ts'
import { AddressFields, isWhere } from '../../parts/address-fields.tsx'
import { Button } from '../../parts/button.tsx'
import { Dialog, DialogActions, DialogBody } from '../../parts/dialog.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import { Progress } from '../../parts/progress.tsx'
import { isChangingRoad, otherRoad } from '../../words/road-change.ts'
import { LastRoadChange } from './last-road-change.tsx'

interface ChangeRoadProps {
  readonly toolbox: Toolbox
  readonly onClose: () => void
}

/** Asks for the other road, and shows what comes of it. */
export function ChangeRoad({ toolbox, onClose }: ChangeRoadProps) {
  const changing = useAction(changeToolboxRoad)
  const [to] = useState<Road>(() => otherRoad(toolbox))
  const [where, setWhere] = useState({ address: toolbox.ssh?.host ?? toolbox.publicIpAddress ?? '', port: '' })
  const [tried, setTried] = useState(false)
  const { id: toolboxId, name, provider, roadChange } = toolbox
  const asksPlace = to === 'direct' && provider !== 'digitalocean'
  const isReady = !asksPlace || isWhere(where, true)
  const { address, port } = where
  const place = asksPlace ? { address, ...(port === '' ? {} : { port: Number(port) }) } : {}
  const body = to === 'tunnel' ? ({ road: to } as const) : ({ road: to, ...place } as const)
  // What was there before somebody asked here is the last change's, not this one's.
  const outcome = changing.data && roadChange

  function ask(): void {
    setTried(true)
    if (isReady) changing.mutate({ params: { toolboxId }, body })
  }

  return (
    <Dialog open onClose={onClose} title={TITLES[to](name)} description={DESCRIPTIONS[to]}>
      <DialogBody>
        {outcome ? (
          <>
            {isChangingRoad(outcome) && <Progress label={`Change of the road to ${name}`} value={undefined} />}
            <LastRoadChange change={outcome} />
          </>
        ) : (
          <>
            <p className="text-pretty text-ink-soft">
              The new road is tried beside the present one, which is closed only when the toolbox has answered by the
              new one. If it does not answer, everything stays as it is. Tools run on, and calls that are under way have
              thirty seconds to end.
            </p>
            {asksPlace && (
              <AddressFields
                label="Address of the toolbox"
                value={where}
                onChange={setWhere}
                tried={tried}
                portWithout="DTMA’s own"
              />
            )}
            <p className="text-pretty text-ink">{NEEDS[to](provider)}</p>
            {changing.error && <ProblemNotice error={changing.error} />}
          </>
        )}
      </DialogBody>
      <DialogActions>
        <Button onClick={onClose}>{outcome ? 'Close' : 'Cancel'}</Button>
        {!outcome && (
          <Button kind="primary" pending={changing.isPending} onClick={ask}>
            {`Change to the ${ROAD_NAMES[to]}`}
          </Button>
        )}
      </DialogActions>
    </Dialog>
  )
}

const TITLES = {
  direct: (name: string) => `Dial ${name} from here`,
  tunnel: (name: string) => `Let ${name} dial`,
} as const satisfies Record<Road, (name: string) => string>

const DESCRIPTIONS = {
  direct: 'From the tunnel to the direct road',
  tunnel: 'From the direct road to the tunnel',
} as const satisfies Record<Road, string>

const NEEDS = {
  direct: (provider: Toolbox['provider']) =>
    provider === 'digitalocean'
      ? `The firewall of its droplet is opened at port ${DTMA_PORT} to this control plane alone.`
      : 'Its port must be open towards this control plane in every firewall between.',
  tunnel: (provider: Toolbox['provider']) =>
    provider === 'digitalocean'
      ? 'The firewall of its droplet is shut afterwards: nothing comes in any more.'
      : 'Its port is closed to the network afterwards; a rule that opened it in a firewall is needed no longer.',
} as const satisfies Record<Road, (provider: Toolbox['provider']) => string>
