import type { Toolbox } from '@agentopia/api'
import { count } from './quantity.ts'

type Counted = Pick<Toolbox, 'status' | 'toolCounts'>

/** Whether the tools of the toolbox are known to be as counted: one that is not heard may run them or not. */
const isHeard = ({ status }: Counted): boolean => status === 'active'

/** How many tools run, of all: `2 of 3 tools running`; what nobody can know is not claimed. */
export function toolWords(toolboxes: readonly Counted[]): string {
  const sum = (of: readonly Counted[], what: 'running' | 'total') =>
    of.reduce((so, { toolCounts }) => so + toolCounts[what], 0)
  const heard = toolboxes.filter(isHeard)
  const total = sum(toolboxes, 'total')
  const unknown = total - sum(heard, 'total')
  if (total === 0) return 'no tools'
  if (unknown === total) return `${count(total, 'tool')}, state unknown`
  return `${sum(heard, 'running')} of ${count(total, 'tool')} running${unknown > 0 ? `, ${unknown} unknown` : ''}`
}

/** The same in the least room: `2/3`; `0` when there are none. */
export function toolFraction(toolbox: Counted): string {
  const { running, total } = toolbox.toolCounts
  return total === 0 ? '0' : `${isHeard(toolbox) ? running : '?'}/${total}`
}
