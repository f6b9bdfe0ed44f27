import type { ToolStatus } from '../contract/tool.ts'

/** States in which a tool stays until something happens. */
const RUNS: ReadonlySet<string> = new Set(['running', 'unhealthy', 'blocked', 'unknown'])
const STANDS: ReadonlySet<string> = new Set(['none', 'created', 'exited', 'blocked', 'unknown'])

/** Whether a tool is where it is wanted, or it is known why not: nothing better is to be heard within moments. */
export const isAtRest = ({ desired, state, reason }: Pick<ToolStatus, 'desired' | 'state' | 'reason'>): boolean =>
  reason !== undefined || (desired === 'running' ? RUNS : STANDS).has(state)
