import type { RoadChange } from '@agentopia/api'
import { Glyph } from '../../parts/glyph.tsx'
import { RelativeTime } from '../../parts/relative-time.tsx'
import { roadChangeMeaning, titleOfRoadChange, toneOfRoadChange } from '../../words/road-change.ts'

/** How far it is, and when it failed what was tried and what to do. */
export function LastRoadChange({ change }: { change: RoadChange }) {
  const { askedAt, evidence = [], nextStep } = change
  return (
    <div aria-live="polite" className="flex flex-col gap-2">
      <p className="flex flex-wrap items-baseline gap-x-2">
        <Glyph tone={toneOfRoadChange(change)} />
        <span className="font-medium">{titleOfRoadChange(change)}</span>
        <RelativeTime at={askedAt} className="ml-auto text-ink-faint text-xs" />
      </p>
      <p className="text-pretty text-ink-soft">{roadChangeMeaning(change)}</p>
      {evidence.length > 0 && (
        <ul className="flex flex-col gap-0.5 font-mono text-ink-soft text-xs">
          {evidence.map((line) => (
            <li key={line} className="wrap-anywhere">
              {line}
            </li>
          ))}
        </ul>
      )}
      {nextStep && <p className="text-pretty text-ink">{nextStep}</p>}
    </div>
  )
}
