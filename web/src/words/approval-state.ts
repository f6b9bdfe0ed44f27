import type { Approval } from '@agentopia/api'
import type { Tone } from './tone.ts'

/** What became of a call that a person was asked about: its tone, and its words. */
export const APPROVAL_STATES = {
  waiting: { tone: 'busy', words: 'waiting' },
  approved: { tone: 'ok', words: 'approved' },
  denied: { tone: 'bad', words: 'denied' },
  expired: { tone: 'idle', words: 'expired' },
  withdrawn: { tone: 'idle', words: 'withdrawn' },
} as const satisfies Record<Approval['state'], { tone: Tone; words: string }>

/** Who decided, or why nobody did. */
export const howSettled = ({ state, decidedBy, always, reason }: Approval): string => {
  const who = decidedBy === undefined ? undefined : `by ${decidedBy}${always ? ', from now on' : ''}`
  const said = state === 'denied' && reason !== undefined ? `“${reason}”` : reason
  return [who, said].filter((words) => words !== undefined).join(': ')
}
