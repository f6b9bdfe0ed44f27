import type { Rollout } from '@agentopia/api'
import { count } from './quantity.ts'
import type { Tone } from './tone.ts'

/** Whether it is at work, or waits for somebody to say how it goes on. */
export const isOpen = ({ state }: Rollout): boolean => state === 'running' || state === 'halted'

export const toneOfRollout = ({ state }: Rollout): Tone => (state === 'halted' ? 'warn' : 'busy')

export function rolloutTitle({ state, version, counts }: Rollout): string {
  if (state === 'halted') return `The update of DTMA to ${version} was halted`
  return `DTMA ${version} comes to every toolbox: ${counts.updated} of ${allOf(counts)} done`
}

/** In one line: how many are where. What is nowhere is left out. */
export function rolloutNote({ reason, counts }: Rollout): string {
  const { underWay, waiting, unwell, away } = counts
  const parts = [
    underWay > 0 && `${underWay} under way`,
    waiting > 0 && `${waiting} waiting for their turn`,
    unwell > 0 && `${unwell} not well`,
    away > 0 && `${count(away, 'toolbox is', 'toolboxes are')} away and not reached`,
  ].filter((part) => part !== false)
  return [reason, parts.join(', ')].filter(Boolean).join('. ')
}

/** How far it is, in percent. */
export const rolloutPercent = ({ counts }: Rollout): number =>
  Math.floor(((counts.updated + counts.unwell) / Math.max(1, allOf(counts))) * 100)

const allOf = ({ updated, underWay, waiting, unwell }: Rollout['counts']): number =>
  updated + underWay + waiting + unwell
