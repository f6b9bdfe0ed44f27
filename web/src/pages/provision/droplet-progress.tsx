import { type DropletAction, listDropletActions } from '@agentopia/api'
import { useOperation } from '../../api/use-operation.ts'
import { Glyph } from '../../parts/glyph.tsx'
import { Elapsed, RelativeTime } from '../../parts/relative-time.tsx'
import type { Tone } from '../../words/tone.ts'

const TONES = { asked: 'busy', running: 'busy', done: 'ok', failed: 'bad' } as const satisfies Record<
  DropletAction['state'],
  Tone
>

/** How far it is with what somebody asked of the droplet last, and how it ended. */
export function DropletProgress({ toolboxId }: { toolboxId: string }) {
  const actions = useOperation(listDropletActions, { params: { toolboxId }, query: { limit: 1 } })
  const action = actions.data?.items[0]
  if (!action) return null
  const { title, state, message, actor, askedAt, endedAt } = action
  return (
    <div className="rounded-md border border-line bg-canvas/60 px-3 py-2.5" aria-live="polite">
      <p className="flex items-baseline gap-2">
        <Glyph tone={TONES[state]} className="size-3 self-center" />
        <span className="font-medium text-ink first-letter:uppercase">{title}</span>
        <span className="text-ink-soft">{WORDS[state]}</span>
        <span className="ml-auto shrink-0 text-ink-faint text-xs">
          {endedAt ? <RelativeTime at={endedAt} /> : <Elapsed since={askedAt} />}
        </span>
      </p>
      {message && <p className="mt-1 text-pretty text-ink-soft">{message}</p>}
      <p className="mt-1 text-ink-faint text-xs">asked for by {actor}</p>
    </div>
  )
}

const WORDS = {
  asked: 'is asked for',
  running: 'is under way',
  done: 'is done',
  failed: 'failed',
} as const satisfies Record<DropletAction['state'], string>
