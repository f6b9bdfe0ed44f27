import type { Boot } from '@agentopia/api'
import { Glyph } from '../../parts/glyph.tsx'
import type { Tone } from '../../words/tone.ts'

const STAGES = [
  ['docker', 'Docker'],
  ['image', 'Image of DTMA'],
  ['program', 'Program of DTMA'],
  ['dtma', 'DTMA started'],
  ['enrolled', 'Enrolled'],
] as const

const TONES = { running: 'busy', done: 'ok', failed: 'bad' } as const satisfies Record<string, Tone>

/** How far an installation is, as the machine itself reports it. */
export function BootStages({ boot, waiting }: { boot: Boot | undefined; waiting: string }) {
  if (!boot) return <p className="text-ink-faint">{waiting}</p>
  const builtHere = boot.stages.some(({ stage }) => stage === 'program')
  return (
    <div>
      <ol className="flex flex-wrap gap-x-5 gap-y-1.5" aria-label="Stages of the installation">
        {STAGES.filter(([stage]) => stage !== 'program' || builtHere).map(([stage, words]) => {
          const state = boot.stages.find((known) => known.stage === stage)?.state
          return (
            <li key={stage} className="flex items-center gap-1.5">
              <Glyph tone={state ? TONES[state] : 'idle'} className="size-3" />
              <span className={state ? 'text-ink' : 'text-ink-faint'}>{words}</span>
            </li>
          )
        })}
      </ol>
      {boot.log && (
        // Once all is well nobody needs it; until then it is what people wait with.
        <details
          className="mt-3"
          open={!boot.stages.some(({ stage, state }) => stage === 'enrolled' && state === 'done')}
        >
          <summary className="cursor-pointer text-ink-soft text-xs">Log of the installation</summary>
          <pre className="wrap-anywhere mt-2 max-h-60 overflow-y-auto whitespace-pre-wrap rounded-md bg-hover p-3 text-xs">
            {boot.log}
          </pre>
        </details>
      )}
    </div>
  )
}
