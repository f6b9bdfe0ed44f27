import type { heartbeat, Parsed } from '@agentopia/dtma/contract'
import { digestOf } from '../secret.ts'

/** Which run has reported, and the digest of what it said of the tools. */
export interface Report {
  readonly runId: string
  readonly tools: string
}

export const reportOf = ({ runId, tools }: Pick<Parsed<typeof heartbeat>['body'], 'runId' | 'tools'>): Report => ({
  runId,
  tools: digestOf(JSON.stringify(tools ?? [])),
})

/** What this process has stored last, of each toolbox. Forgetting it costs one report. */
export interface Reported {
  /** @param bearer That the report came with: its sender is that toolbox, for as long as nobody ends that. */
  store(toolboxId: string, bearer: string, report: Report): void
  isStored(toolboxId: string, report: Report): boolean
  hasReported(toolboxId: string, runId: string): boolean
  /** Whoever came with this bearer before has said the same. Whether he still is that toolbox, the database knows. */
  isRepeated(bearer: string, report: Report): boolean
}

export function createReported(): Reported {
  const last = new Map<string, Report & { readonly bearer: string }>()
  const toolboxOf = new Map<string, string>()

  const isStored = (toolboxId: string, { runId, tools }: Report): boolean => {
    const stored = last.get(toolboxId)
    return stored?.runId === runId && stored.tools === tools
  }

  return {
    store(toolboxId, bearer, report) {
      const digest = digestOf(bearer)
      const before = last.get(toolboxId)
      if (before && before.bearer !== digest) toolboxOf.delete(before.bearer)
      last.set(toolboxId, { ...report, bearer: digest })
      toolboxOf.set(digest, toolboxId)
    },
    isStored,
    hasReported: (toolboxId, runId) => last.get(toolboxId)?.runId === runId,
    isRepeated(bearer, report) {
      const toolboxId = toolboxOf.get(digestOf(bearer))
      return toolboxId !== undefined && isStored(toolboxId, report)
    },
  }
}
