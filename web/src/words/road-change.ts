import { ROAD_NAMES, type Road, type RoadChange, type Toolbox } from '@agentopia/api'
import type { Tone } from './tone.ts'

type Phase = RoadChange['phase']

const TONES = {
  asked: 'busy',
  trying: 'busy',
  closing: 'busy',
  undoing: 'busy',
  done: 'ok',
  failed: 'warn',
} as const satisfies Record<Phase, Tone>

export const toneOfRoadChange = ({ phase }: RoadChange): Tone => TONES[phase]

export const isChangingRoad = (change: RoadChange | undefined): boolean =>
  change !== undefined && TONES[change.phase] === 'busy'

const MEANING = {
  asked: 'Recorded. The present one is in use.',
  trying: 'Both are open, and the new one is tried. The present one is in use.',
  closing: 'The new one is proven and in use; calls on the one before may end.',
  undoing: 'The new one did not come up, and is closed again. The one before is in use.',
  done: 'The one before is closed.',
  failed: 'The road is the one that it was.',
} as const satisfies Record<Phase, string>

/** What the phase means, and why, where the control plane says so. */
export const roadChangeMeaning = ({ phase, message }: RoadChange): string =>
  message ? `${message}. ${MEANING[phase]}` : MEANING[phase]

export const titleOfRoadChange = ({ to, phase }: RoadChange): string => `To the ${ROAD_NAMES[to]}: ${phase}`

/** The road that it does not have. */
export const otherRoad = ({ direct }: Toolbox): Road => (direct ? 'tunnel' : 'direct')

/** A change may be asked for: it is there, and its road is not being changed. One that is undone gives way. */
export const canChangeRoad = ({ status, roadChange }: Toolbox): boolean =>
  status === 'active' && (roadChange?.phase === 'undoing' || !isChangingRoad(roadChange))

export const ROAD_WORDS = {
  tunnel: ['Tunnel', 'It dials the control plane, and no port of it is open.'],
  direct: ['Direct road', 'The control plane dials it by https, and knows it by the key that it enrolled with.'],
} as const satisfies Record<Road, readonly [string, string]>
