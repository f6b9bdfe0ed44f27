import type { ToolInstance } from '@agentopia/api'
import { ArrowRight } from 'lucide-react'
import { Card } from '../../parts/card.tsx'
import { cn } from '../../parts/cn.ts'
import { TONE_SOFT } from '../../parts/glyph.tsx'
import { InstanceProgress } from '../../parts/instance-state.tsx'
import { RelativeTime } from '../../parts/relative-time.tsx'
import { isUnderway, REASON_ADVICE, toneOfInstance } from '../../words/instance-state.ts'

/** What the toolbox is doing with it, or why it is not running; nothing when all is well. */
export function InstanceState({ instance }: { instance: ToolInstance }) {
  const { reason, message, since, state } = instance
  const tone = toneOfInstance(instance)
  if (isUnderway(instance))
    return (
      <Card className="mb-5 p-4">
        <InstanceProgress instance={instance} />
      </Card>
    )
  if (tone !== 'bad' && tone !== 'warn') return null
  return (
    <div role="status" className={cn('mb-5 rounded-lg px-4 py-3', TONE_SOFT[tone])}>
      <p className="flex flex-wrap items-baseline gap-x-2.5">
        <span className="wrap-anywhere font-medium">{message ?? `It is ${state}`}</span>
        {reason && <code className="text-2xs text-ink-soft">{reason}</code>}
        {since && (
          <span className="ml-auto text-ink-faint text-xs">
            <RelativeTime at={since} />
          </span>
        )}
      </p>
      {(reason || state === 'unknown') && (
        <p className="mt-1.5 flex gap-2 text-pretty text-ink">
          <ArrowRight className="mt-0.5 size-4 shrink-0 text-accent" aria-hidden />
          {reason ? REASON_ADVICE[reason] : REASON_ADVICE.toolbox_unreachable}
        </p>
      )}
    </div>
  )
}
