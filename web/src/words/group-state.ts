import type { GroupMember, ToolGroup } from '@agentopia/api'
import { stateWords, toneOfInstance } from './instance-state.ts'
import type { Tone } from './tone.ts'

const WORDS = {
  deploying: ['busy', 'being deployed'],
  ready: ['ok', 'ready'],
  undoing: ['warn', 'being undone'],
  failed: ['bad', 'failed'],
  removing: ['busy', 'being removed'],
} as const satisfies Record<ToolGroup['state'], readonly [Tone, string]>

/** A group that stands is as well as the worst of its members. */
export function toneOfGroup({ state, members }: Pick<ToolGroup, 'state' | 'members'>): Tone {
  const [tone] = WORDS[state]
  if (state !== 'ready') return tone
  const tones = members.map(toneOfMember)
  return (['bad', 'warn', 'busy'] as const).find((worse) => tones.includes(worse)) ?? tone
}

export const groupWords = ({ state }: Pick<ToolGroup, 'state'>): string => WORDS[state][1]

/** Why one of its tools is not changed by itself now; `undefined`: it can be. */
export const whyHeld = ({ name, state }: Pick<ToolGroup, 'name' | 'state'>): string | undefined =>
  state === 'ready' ? undefined : `The group ${name} ${state === 'failed' ? 'failed' : `is ${WORDS[state][1]}`}`

const asInstance = ({ state, reason }: GroupMember) => ({
  desired: 'running' as const,
  state: state === 'waiting' ? ('none' as const) : state,
  generation: 1,
  reason,
})

export function toneOfMember(member: GroupMember): Tone {
  if (member.instanceId === undefined || member.state === 'waiting') return 'idle'
  return toneOfInstance(asInstance(member))
}

export function memberWords(member: GroupMember): string {
  if (member.instanceId === undefined) return 'not there'
  if (member.state === 'waiting') return 'waits'
  return stateWords(asInstance(member))
}
