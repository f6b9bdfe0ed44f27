import { nextStep as nextRotationStep } from '../key-rotation/rotation.step.ts'
import { type ActionRow, titleOf } from '../providers/digitalocean/action.store.ts'
import { isUnderWay as isUpdating } from '../releases/update.step.ts'
import { isChanging as isChangingRoad } from '../road-change/road-change.step.ts'
import type { ToolboxRow } from './toolbox.store.ts'

type BusyFacts = Parameters<typeof isUpdating>[0] &
  Parameters<typeof isChangingRoad>[0] &
  Parameters<typeof nextRotationStep>[0] &
  Pick<ToolboxRow, 'name'>

/**
 * What is being done with a toolbox that nothing else may be begun beside. Decides; touches nothing.
 * @param action At work on its droplet.
 * @returns A sentence for people; `undefined`: nothing.
 */
export function whyBusy(row: BusyFacts, action: Pick<ActionRow, 'request'> | undefined): string | undefined {
  if (isChangingRoad(row)) return `The road to ${row.name} is being changed`
  if (nextRotationStep(row) === 'send') return `The keys of ${row.name} are being changed`
  if (isUpdating(row)) return `DTMA of ${row.name} is being updated`
  return action && `At work on its droplet: ${titleOf(action.request)}`
}
