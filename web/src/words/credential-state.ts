import type { Credential } from '@agentopia/api'
import type { Tone } from './tone.ts'

type State = Credential['state']

const WORDS = {
  not_needed: ['idle', 'Needs no secrets'],
  missing: ['warn', 'Secrets missing: calls are refused'],
  unverified: ['busy', 'Stored; the tool is started with it to try it'],
  valid: ['ok', 'The tool starts with it'],
  refused: ['bad', 'The tool does not start with it'],
} as const satisfies Record<State, readonly [Tone, string]>

export const credentialTone = (state: State): Tone => WORDS[state][0]
export const credentialWord = (state: State): string => WORDS[state][1]
