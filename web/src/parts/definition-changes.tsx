import type { DefinitionChange, WordRun } from '@agentopia/api'
import { SEVERITIES } from '../words/severity.ts'
import { cn } from './cn.ts'
import { Glyph } from './glyph.tsx'

/** What differs between two definitions of a capability, gravest first. Text of strangers: shown, never interpreted. */
export const DefinitionChanges = ({ changes }: { changes: readonly DefinitionChange[] }) =>
  changes.length === 0 ? (
    <p className="text-ink-soft text-sm">
      Nothing that an agent is told differs; only the order in which it stands does.
    </p>
  ) : (
    <ul className="flex flex-col gap-3">
      {changes.map((change) => (
        <Change key={`${change.place} ${change.meaning}`} change={change} />
      ))}
    </ul>
  )

function Change({ change }: { change: DefinitionChange }) {
  const { place, severity, meaning, before, after, words } = change
  const { tone, words: called } = SEVERITIES[severity]
  const hasText = words !== undefined || before !== undefined || after !== undefined
  return (
    <li className="min-w-0">
      <p className="flex flex-wrap items-center gap-x-2 gap-y-0.5">
        <Glyph tone={tone} />
        <span className="sr-only">{called}</span>
        <code className="wrap-anywhere font-medium text-ink text-xs">{place}</code>
        <span className={cn('text-sm', severity === 'danger' ? 'font-semibold text-bad' : 'text-ink-soft')}>
          {meaning}
        </span>
      </p>
      {hasText && (
        <div className="wrap-anywhere mt-1.5 ml-5 whitespace-pre-wrap rounded-md border border-line bg-sunken px-3 py-2 font-mono text-ink text-xs leading-5">
          {words ? (
            words.map((run, place) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a text is its places
              <Words key={place} run={run} />
            ))
          ) : (
            <>
              {before !== undefined && <Words run={{ in: 'before', text: before }} />}
              {before !== undefined && after !== undefined && '\n'}
              {after !== undefined && <Words run={{ in: 'after', text: after }} />}
            </>
          )}
        </div>
      )}
    </li>
  )
}

function Words({ run: { in: where, text } }: { run: WordRun }) {
  if (where === 'both') return text
  return where === 'before' ? (
    <del className="rounded-sm bg-bad-soft text-bad">{text}</del>
  ) : (
    <ins className="rounded-sm bg-ok-soft text-ok no-underline">{text}</ins>
  )
}
