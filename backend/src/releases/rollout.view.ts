import type { Rollout } from '@agentopia/api'
import { compareVersions } from '@agentopia/dtma/contract'
import type { ToolboxRow } from '../toolboxes/toolbox.store.ts'
import { membersOf, type RolloutRow } from './rollout.members.ts'
import type { Standing } from './rollout.step.ts'

/** What people see of a rollout. @param rows The toolboxes of its account. @param now In milliseconds. */
export function rolloutView(row: RolloutRow, rows: readonly ToolboxRow[], now: number): Rollout {
  const { members, away } = membersOf(row, rows, now)
  const count = (standing: Standing) => members.filter((member) => member.standing === standing).length
  const isOver = row.endedAt !== null
  const unwell = members.filter(({ standing }) => standing === 'unwell' || standing === 'forgiven')
  return {
    id: row.id,
    state: row.state,
    version: Object.values(row.versions).toSorted(compareVersions).at(-1)!,
    ...(row.state === 'halted' && row.reason !== null ? { reason: row.reason } : {}),
    startedAt: row.createdAt.toISOString(),
    ...(row.endedAt ? { endedAt: row.endedAt.toISOString() } : {}),
    counts: {
      updated: count('updated'),
      underWay: count('under_way'),
      unwell: unwell.length,
      waiting: isOver ? 0 : count('waiting'),
      away: isOver ? 0 : away,
    },
    unwell: unwell.map(({ toolboxId, name, reason = '' }) => ({ toolboxId, name, reason })),
  }
}
