import type { Connection } from '@agentopia/api'
import type { Tone } from './tone.ts'

type State = Connection['state']

const WORDS = {
  not_connected: ['warn', 'Not connected: calls are refused'],
  connected: ['ok', 'Connected'],
  requires_reauth: ['bad', 'The service asks for a new consent'],
} as const satisfies Record<State, readonly [Tone, string]>

export const connectionTone = (state: State): Tone => WORDS[state][0]
export const connectionWord = (state: State): string => WORDS[state][1]
