import { type Toolbox, type ToolboxUpdate, updateToolbox } from '@agentopia/api'
import { ArrowUpCircle } from 'lucide-react'
import { useMay } from '../../api/me.ts'
import { useAction } from '../../api/use-action.ts'
import { Button } from '../../parts/button.tsx'
import { Card, CardHeader } from '../../parts/card.tsx'
import { Facts } from '../../parts/facts.tsx'
import { Glyph } from '../../parts/glyph.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import { Progress } from '../../parts/progress.tsx'
import { RelativeTime } from '../../parts/relative-time.tsx'
import { isUnderWay, toneOfUpdate, updateMeaning } from '../../words/dtma-update.ts'

/** Which version of DTMA runs, whether there is a newer one, and how the last update went. */
export function DtmaCard({ toolbox }: { toolbox: Toolbox }) {
  const ask = useAction(updateToolbox)
  const may = useMay('operator')
  const { id: toolboxId, dtmaVersion, release, update } = toolbox
  const newer = release?.newer
  return (
    <Card>
      <CardHeader title="DTMA">
        {may && newer !== undefined && !isUnderWay(update) && (
          <Button
            size="small"
            kind="primary"
            pending={ask.isPending}
            onClick={() => ask.mutate({ params: { toolboxId } })}
          >
            <ArrowUpCircle />
            Update to {newer}
          </Button>
        )}
      </CardHeader>
      <div className="flex flex-col gap-4 p-4">
        {ask.error && <ProblemNotice error={ask.error} />}
        <Facts
          facts={[
            ['Version', dtmaVersion ?? 'not heard yet'],
            newer !== undefined && ['Newest', newer],
            release?.standing === 'too_old' && ['Standing', 'too old for this control plane: update it'],
          ]}
        />
        {update && <LastUpdate update={update} />}
      </div>
    </Card>
  )
}

function LastUpdate({ update }: { update: ToolboxUpdate }) {
  const { phase, version, from, percent, since } = update
  return (
    <div aria-live="polite" className="flex flex-col gap-2">
      <p className="flex flex-wrap items-baseline gap-x-2">
        <Glyph tone={toneOfUpdate(update)} />
        <span className="font-medium">
          {from ? `${from} to ${version}` : `To ${version}`}: {phase.replaceAll('_', ' ')}
        </span>
        <RelativeTime at={since} className="ml-auto text-ink-faint text-xs" />
      </p>
      {isUnderWay(update) && (
        <Progress label={`Update to ${version}`} value={phase === 'loading' ? percent : undefined} />
      )}
      <p className="text-pretty text-ink-soft">{updateMeaning(update)}</p>
    </div>
  )
}
