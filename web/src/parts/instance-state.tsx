import type { ToolInstance } from '@agentopia/api'
import { stateWords, toneOfInstance } from '../words/instance-state.ts'
import { cn } from './cn.ts'
import { Chip } from './glyph.tsx'
import { Progress } from './progress.tsx'

export const InstanceChip = ({ instance }: { instance: ToolInstance }) => (
  <Chip tone={toneOfInstance(instance)}>{stateWords(instance)}</Chip>
)

/** The step that the toolbox is at, and how far it is. */
export function InstanceProgress({ instance, className }: { instance: ToolInstance; className?: string }) {
  const { progress, message, name } = instance
  const step = progress?.step ?? message ?? 'Waiting for the toolbox'
  return (
    <div className={className}>
      <Progress value={progress?.percent} label={`Progress of ${name}`} />
      <p aria-live="polite" className={cn('mt-1 flex justify-between gap-3 text-ink-faint text-xs tabular-nums')}>
        <span className="truncate">{step}</span>
        {progress?.percent !== undefined && <span>{Math.round(progress.percent)} %</span>}
      </p>
    </div>
  )
}
