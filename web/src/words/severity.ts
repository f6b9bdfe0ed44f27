import type { Severity } from '@agentopia/api'
import type { Tone } from './tone.ts'

/** How much a change of a definition matters: its tone, and its word. */
export const SEVERITIES = {
  danger: { tone: 'bad', words: 'danger' },
  caution: { tone: 'warn', words: 'look' },
  note: { tone: 'idle', words: 'note' },
} as const satisfies Record<Severity, { tone: Tone; words: string }>
