import { type Observation, refreshToolboxStatus, type Toolbox } from '@agentopia/api'
import { ArrowRight, RefreshCw } from 'lucide-react'
import { useAction } from '../../api/use-action.ts'
import { Button } from '../../parts/button.tsx'
import { Card } from '../../parts/card.tsx'
import { cn } from '../../parts/cn.ts'
import { Glyph, TONE_SOFT } from '../../parts/glyph.tsx'
import { LifeLine } from '../../parts/life-line.tsx'
import { ProblemNotice } from '../../parts/problem-notice.tsx'
import { Elapsed, RelativeTime } from '../../parts/relative-time.tsx'
import { withOwnTimes } from '../../words/relative-time.ts'
import { STATUS_MEANING, statusWords, toneOfObservation, toneOfToolbox } from '../../words/toolbox-status.ts'

/** The status with its reason, what was seen when somebody last looked, and the way to look now. */
export function StatusCard({ toolbox }: { toolbox: Toolbox }) {
  const refresh = useAction(refreshToolboxStatus)
  const observation = refresh.data?.observation ?? toolbox.observation
  const newest = observation && toolbox.observation ? later(observation, toolbox.observation) : observation
  const { status, statusReason, lastHeartbeatAt } = toolbox
  return (
    <Card>
      <div className="flex flex-wrap items-start gap-x-6 gap-y-3 p-4">
        <div className="min-w-0 flex-1 basis-64">
          <p className="flex items-center gap-2 font-semibold text-base">
            <Glyph tone={toneOfToolbox(toolbox)} className="size-3" />
            <span className="first-letter:uppercase">{statusWords(toolbox)}</span>
          </p>
          <p className="mt-0.5 text-pretty text-ink-soft">{statusReason ?? STATUS_MEANING[status]}</p>
        </div>
        <Button
          pending={refresh.isPending}
          onClick={() => refresh.mutate({ params: { toolboxId: toolbox.id } })}
          aria-describedby="observation"
        >
          <RefreshCw />
          Refresh status
        </Button>
      </div>
      <div className="px-4 pb-4">
        <LifeLine at={lastHeartbeatAt} className="h-2" />
        <p className="mt-1.5 flex justify-between gap-4 text-ink-faint text-xs tabular-nums">
          <span>
            {lastHeartbeatAt ? (
              <>
                Last heartbeat <RelativeTime at={lastHeartbeatAt} className="text-ink-soft" />
              </>
            ) : (
              'No heartbeat yet'
            )}
          </span>
          <span className="max-sm:hidden">suspect at 30 s, unresponsive at 60 s</span>
        </p>
      </div>
      <div id="observation" aria-live="polite">
        {refresh.error && <ProblemNotice error={refresh.error} className="mx-4 mb-4" />}
        {newest && <Seen observation={newest} />}
      </div>
    </Card>
  )
}

/** One look at the toolbox: what was seen, the evidence, and what to do next. */
function Seen({ observation }: { observation: Observation }) {
  const { code, summary, evidence, nextStep, since, observedAt } = observation
  const tone = toneOfObservation(code)
  return (
    <div
      className={cn('rounded-b-lg border-line border-t px-4 py-3.5', tone === 'ok' ? 'bg-canvas/60' : TONE_SOFT[tone])}
    >
      <p className="flex flex-wrap items-baseline gap-x-2.5 gap-y-0.5">
        <span className="font-medium text-ink">{summary}</span>
        <code className="text-2xs text-ink-soft">{code}</code>
        <span className="ml-auto text-ink-faint text-xs">
          looked <RelativeTime at={observedAt} />
        </span>
      </p>
      <ul className="mt-2 flex flex-col gap-1 text-ink-soft">
        {evidence.map((fact) => (
          <li key={fact} className="wrap-anywhere flex items-baseline gap-2 font-mono text-2xs">
            <span aria-hidden className="size-1 -translate-y-0.5 shrink-0 rounded-full bg-ink-faint" />
            {withOwnTimes(fact)}
          </li>
        ))}
      </ul>
      {nextStep && (
        <p className="mt-3 flex gap-2 text-pretty font-medium text-ink">
          <ArrowRight className="mt-0.5 size-4 shrink-0 text-accent" aria-hidden />
          {nextStep}
        </p>
      )}
      {tone !== 'ok' && (
        <p className="mt-2 text-ink-faint text-xs">
          So for <Elapsed since={since} />
        </p>
      )}
    </div>
  )
}

const later = (a: Observation, b: Observation): Observation => (a.observedAt >= b.observedAt ? a : b)
