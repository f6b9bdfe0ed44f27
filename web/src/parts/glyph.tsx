import type { Tone } from '../words/tone.ts'
import { cn } from './cn.ts'

export const TONE_TEXT = {
  ok: 'text-ok',
  busy: 'text-busy',
  warn: 'text-warn',
  bad: 'text-bad',
  idle: 'text-ink-faint',
} as const satisfies Record<Tone, string>

export const TONE_SOFT = {
  ok: 'bg-ok-soft',
  busy: 'bg-busy-soft',
  warn: 'bg-warn-soft',
  bad: 'bg-bad-soft',
  idle: 'bg-hover',
} as const satisfies Record<Tone, string>

/** A tone as a shape, so that colour is never the only sign: disc, turning ring, triangle, square, empty ring. */
export function Glyph({ tone, className }: { tone: Tone; className?: string }) {
  return (
    <svg aria-hidden="true" viewBox="0 0 12 12" className={cn('size-2.5 shrink-0', TONE_TEXT[tone], className)}>
      {tone === 'ok' && <circle cx="6" cy="6" r="4.5" fill="currentColor" />}
      {tone === 'busy' && (
        <g className="origin-center animate-[spin_1.6s_linear_infinite]">
          <circle cx="6" cy="6" r="4.25" fill="none" stroke="currentColor" strokeWidth="2" opacity=".28" />
          <path d="M6 1.75A4.25 4.25 0 0 1 10.25 6" fill="none" stroke="currentColor" strokeWidth="2" />
        </g>
      )}
      {tone === 'warn' && <path d="M6 .9 11.6 11H.4Z" fill="currentColor" />}
      {tone === 'bad' && <rect x="1.4" y="1.4" width="9.2" height="9.2" rx="1.6" fill="currentColor" />}
      {tone === 'idle' && <circle cx="6" cy="6" r="4.1" fill="none" stroke="currentColor" strokeWidth="1.6" />}
    </svg>
  )
}

/** A glyph with its word. */
export const Chip = ({ tone, children, className }: { tone: Tone; children: string; className?: string }) => (
  <span
    className={cn(
      'inline-flex h-6 items-center gap-1.5 whitespace-nowrap rounded-full px-2.5 font-medium text-xs',
      TONE_SOFT[tone],
      tone === 'idle' ? 'text-ink-soft' : TONE_TEXT[tone],
      className,
    )}
  >
    <Glyph tone={tone} />
    {children}
  </span>
)
