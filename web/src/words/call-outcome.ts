import type { Call } from '@agentopia/api'
import type { Tone } from './tone.ts'

/** How a call went: its tone, its words, and whose fault it was. */
export const OUTCOMES = {
  ok: { tone: 'ok', words: 'ok', meaning: 'The tool answered.' },
  tool_error: { tone: 'warn', words: 'tool error', meaning: 'The tool answered that it failed.' },
  denied: { tone: 'idle', words: 'denied', meaning: 'Refused by the control plane; the tool never saw it.' },
  failed: { tone: 'bad', words: 'failed', meaning: 'No proper answer came.' },
  timeout: { tone: 'bad', words: 'timeout', meaning: 'No answer came in time.' },
  cancelled: {
    tone: 'idle',
    words: 'cancelled',
    meaning: 'The agent took it back, or a switch ended it, before the answer.',
  },
} as const satisfies Record<Call['outcome'], { tone: Tone; words: string; meaning: string }>
