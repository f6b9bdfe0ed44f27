import {
  type KeyRotation,
  redeployToolbox,
  rotateToolboxKeys,
  type Toolbox,
  type ToolboxUpdate,
  updateToolbox,
} from '@agentopia/api'
import { ArrowUpCircle, KeyRound, RefreshCw } from 'lucide-react'
import { useMay } from '../../api/me.ts'
import { useAction } from '../../api/use-action.ts'
import { Button } from '../../parts/button.tsx'
import { Card, CardHeader } from '../../parts/card.tsx'
import { Facts } from '../../parts/facts.tsx'
import { Glyph } from '../../parts/glyph.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import { Progress } from '../../parts/progress.tsx'
import { RelativeTime } from '../../parts/relative-time.tsx'
import { canRedeploy, isUnderWay, toneOfUpdate, updateMeaning, versionsOf } from '../../words/dtma-update.ts'
import type { Tone } from '../../words/tone.ts'

/** Which version of DTMA runs, whether there is a newer one, and how the last update went. */
export function DtmaCard({ toolbox }: { toolbox: Toolbox }) {
  const ask = useAction(updateToolbox)
  const redeploy = useAction(redeployToolbox)
  const rotate = useAction(rotateToolboxKeys)
  const may = useMay('operator')
  const { id: toolboxId, dtmaVersion, release, update, keyRotation } = toolbox
  const newer = release?.newer
  return (
    <Card>
      <CardHeader title="DTMA">
        {may && CAN_ROTATE.has(toolbox.status) && keyRotation?.phase !== 'asked' && (
          <Button size="small" pending={rotate.isPending} onClick={() => rotate.mutate({ params: { toolboxId } })}>
            <KeyRound />
            Rotate keys
          </Button>
        )}
        {may && canRedeploy(toolbox) && (
          <Button size="small" pending={redeploy.isPending} onClick={() => redeploy.mutate({ params: { toolboxId } })}>
            <RefreshCw />
            Redeploy
          </Button>
        )}
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
        {redeploy.error && <ProblemNotice error={redeploy.error} />}
        {rotate.error && <ProblemNotice error={rotate.error} />}
        <Facts
          facts={[
            ['Version', dtmaVersion ?? 'not heard yet'],
            newer !== undefined && ['Newest', newer],
            release?.standing === 'too_old' && ['Standing', 'too old for this control plane: update it'],
          ]}
        />
        {update && <LastUpdate update={update} />}
        {keyRotation && <LastRotation rotation={keyRotation} />}
      </div>
    </Card>
  )
}

/** It has keys then, and they are its own. */
const CAN_ROTATE: ReadonlySet<Toolbox['status']> = new Set(['active', 'unresponsive'])

const ROTATION_WORDS = {
  asked: [
    'busy',
    'Other keys: asked for',
    'DTMA makes a key and enrols anew with it. Until then the present ones hold.',
  ],
  done: ['ok', 'Other keys: done', 'The keys before open nothing any more.'],
  refused: ['warn', 'Other keys: refused', 'The keys are the same as before.'],
  unanswered: ['warn', 'Other keys: unanswered', 'The keys before hold, unless DTMA enrols anew after all.'],
} as const satisfies Record<KeyRotation['phase'], readonly [Tone, string, string]>

function LastRotation({ rotation: { phase, askedAt, message } }: { rotation: KeyRotation }) {
  const [tone, title, meaning] = ROTATION_WORDS[phase]
  return (
    <div aria-live="polite" className="flex flex-col gap-2">
      <p className="flex flex-wrap items-baseline gap-x-2">
        <Glyph tone={tone} />
        <span className="font-medium">{title}</span>
        <RelativeTime at={askedAt} className="ml-auto text-ink-faint text-xs" />
      </p>
      <p className="text-pretty text-ink-soft">{message ? `${message}. ${meaning}` : meaning}</p>
    </div>
  )
}

function LastUpdate({ update }: { update: ToolboxUpdate }) {
  const { phase, version, percent, since } = update
  return (
    <div aria-live="polite" className="flex flex-col gap-2">
      <p className="flex flex-wrap items-baseline gap-x-2">
        <Glyph tone={toneOfUpdate(update)} />
        <span className="font-medium">
          {versionsOf(update)}: {phase.replaceAll('_', ' ')}
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
