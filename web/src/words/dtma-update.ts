import type { Toolbox, ToolboxUpdate } from '@agentopia/api'
import type { Tone } from './tone.ts'

type Phase = ToolboxUpdate['phase']

const TONES = {
  asked: 'busy',
  loading: 'busy',
  switching: 'busy',
  proving: 'busy',
  done: 'ok',
  fell_back: 'warn',
  failed: 'warn',
  refused: 'warn',
  unanswered: 'warn',
} as const satisfies Record<Phase, Tone>

export const toneOfUpdate = ({ phase }: ToolboxUpdate): Tone => TONES[phase]

export const isUnderWay = (update: ToolboxUpdate | undefined): boolean =>
  update !== undefined && TONES[update.phase] === 'busy'

const MEANING = {
  asked: 'Recorded. DTMA has not taken it up yet.',
  loading: 'DTMA fetches the new version and checks it.',
  switching: 'The present DTMA makes room for the new one. Tools keep running.',
  proving: 'The new DTMA has two minutes to show that it works.',
  done: 'The new DTMA works.',
  fell_back: 'The new DTMA did not work; the one before runs again.',
  failed: 'Nothing was changed.',
  refused: 'DTMA refused it.',
  unanswered: 'What DTMA says of it later is shown here.',
} as const satisfies Record<Phase, string>

/** What the phase means, and why, where the control plane says so. */
export const updateMeaning = ({ phase, message }: ToolboxUpdate): string =>
  message ? `${message}. ${MEANING[phase]}` : MEANING[phase]

/** From which version to which: `0.1.0 to 0.2.0`, `0.1.0 anew`. */
export function versionsOf({ from, version }: ToolboxUpdate): string {
  if (from === undefined) return `To ${version}`
  return from === version ? `${version} anew` : `${from} to ${version}`
}

/** Whether redeploying is offered: DTMA is there, no newer one is to be had, and nothing of the kind is under way. */
export const canRedeploy = ({ provider, status, release, update }: Toolbox): boolean =>
  provider !== 'local' && status === 'active' && release?.newer === undefined && !isUnderWay(update)

/** Toolboxes that an update of all would reach. */
export const outdated = (toolboxes: readonly Toolbox[]): readonly Toolbox[] =>
  toolboxes.filter(({ release, update }) => release?.newer !== undefined && !isUnderWay(update))
