import { giveUpRollout, listRollouts, type Rollout, resumeRollout } from '@agentopia/api'
import { Link } from '@tanstack/react-router'
import { useMay } from '../../api/me.ts'
import { useAction } from '../../api/use-action.ts'
import { useOperation } from '../../api/use-operation.ts'
import { Button } from '../../parts/button.tsx'
import { Card } from '../../parts/card.tsx'
import { Glyph } from '../../parts/glyph.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import { Progress } from '../../parts/progress.tsx'
import { isOpen, rolloutNote, rolloutPercent, rolloutTitle, toneOfRollout } from '../../words/rollout.ts'

/** The rollout of DTMA that is at work or was halted; not there when there is none. */
export function RolloutCard() {
  const last = useOperation(listRollouts, {}).data?.items[0]
  return last && isOpen(last) ? <OpenRollout rollout={last} /> : null
}

function OpenRollout({ rollout }: { rollout: Rollout }) {
  const may = useMay('operator')
  const [resume, giveUp] = [useAction(resumeRollout), useAction(giveUpRollout)]
  const input = { params: { rolloutId: rollout.id } }
  const error = resume.error ?? giveUp.error
  return (
    <Card className="mb-5">
      <div aria-live="polite" className="flex flex-col gap-2 p-4">
        <div className="flex flex-wrap items-center gap-2">
          <Glyph tone={toneOfRollout(rollout)} />
          <p className="mr-auto font-medium">{rolloutTitle(rollout)}</p>
          {may && rollout.state === 'halted' && (
            <Button size="small" pending={resume.isPending} onClick={() => resume.mutate(input)}>
              Go on without them
            </Button>
          )}
          {may && (
            <Button size="small" pending={giveUp.isPending} onClick={() => giveUp.mutate(input)}>
              Give up
            </Button>
          )}
        </div>
        <Progress label={rolloutTitle(rollout)} value={rolloutPercent(rollout)} />
        <p className="text-pretty text-ink-soft">{rolloutNote(rollout)}</p>
        <ul>
          {rollout.unwell.map(({ toolboxId, name, reason }) => (
            <li key={toolboxId} className="wrap-anywhere text-ink-soft">
              <Link to="/toolboxes/$toolboxId/{-$tab}" params={{ toolboxId }} className="font-medium text-ink">
                {name}
              </Link>
              : {reason}
            </li>
          ))}
        </ul>
        {error && <ProblemNotice error={error} />}
      </div>
    </Card>
  )
}
