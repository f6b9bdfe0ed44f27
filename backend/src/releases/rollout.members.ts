import { isOver } from '@agentopia/dtma/contract'
import type { rollouts } from '../store/schema/index.ts'
import { whyBusy } from '../toolboxes/busy.decision.ts'
import type { ToolboxRow } from '../toolboxes/toolbox.store.ts'
import type { Member } from './rollout.step.ts'
import { isLastWord } from './update.give-up.ts'
import { isUnderWay, LONGEST_MS } from './update.step.ts'
import { releaseOf } from './update.view.ts'

export type RolloutRow = typeof rollouts.$inferSelect

/** A toolbox of the account as a rollout sees it. */
interface SeenMember extends Member {
  readonly name: string
  /** Why it is not well. */
  readonly reason?: string
}

export interface Seen {
  readonly members: readonly SeenMember[]
  /** They have an older version, and are not heard now. */
  readonly away: number
}

/**
 * How the toolboxes of the account stand to the rollout. Those that have its version without it do not belong to it; one that a
 * person has asked something of is waited for. @param now In milliseconds.
 */
export function membersOf(rollout: RolloutRow, rows: readonly ToolboxRow[], now: number): Seen {
  const members: SeenMember[] = []
  let away = 0
  for (const row of rows) {
    const { id: toolboxId, name } = row
    const isAsked = row.updateAsked?.rollout === rollout.id
    if (isAsked) {
      const reason = unwellnessOf(row, now)
      if (reason !== undefined) {
        const standing = rollout.forgiven.includes(toolboxId) ? 'forgiven' : 'unwell'
        members.push({ toolboxId, name, standing, reason })
      } else members.push({ toolboxId, name, standing: isUpdated(row) ? 'updated' : 'under_way' })
      continue
    }
    if (releaseOf(row, rollout.versions)?.newer === undefined) continue
    if (row.status === 'active')
      members.push({ toolboxId, name, standing: isWaitedFor(row, now) ? 'under_way' : 'waiting' })
    else away += 1
  }
  return { members, away }
}

/** A person has asked for an update, or for what one is not begun beside; what does not end is not waited for. */
const isWaitedFor = (row: ToolboxRow, now: number): boolean =>
  isUnderWay(row)
    ? !isLate(row.updateAsked, now)
    : whyBusy(row, undefined) !== undefined && !(isLate(row.roadAsked, now) && isLate(row.keyRotationAsked, now))

const attemptIs = (row: ToolboxRow, of: { readonly attempt: string } | null): boolean =>
  of !== null && of.attempt === row.updateAsked?.attempt

const isUpdated = (row: ToolboxRow): boolean => attemptIs(row, row.updateState) && row.updateState!.phase === 'done'

const isLate = (asked: { readonly askedAt: string } | null, now: number): boolean =>
  asked === null || now - Date.parse(asked.askedAt) > LONGEST_MS

/** `undefined`: it is well, as far as anybody knows. */
function unwellnessOf(row: ToolboxRow, now: number): string | undefined {
  const { updateState, updateRefusal, status, statusReason, docker } = row
  if (attemptIs(row, updateRefusal) && isLastWord(updateRefusal!, updateState)) return updateRefusal!.message
  if (attemptIs(row, updateState) && isOver(updateState!.phase) && updateState!.phase !== 'done')
    return updateState!.message ?? updateState!.phase
  if (status !== 'active') return statusReason ?? `It is ${status}`
  if (isUpdated(row) && docker && docker.state !== 'ok') return `Its Docker is ${docker.state}`
  if (!isUpdated(row) && isLate(row.updateAsked, now))
    return `Its update has not ended within ${LONGEST_MS / 60_000} minutes`
  return undefined
}
