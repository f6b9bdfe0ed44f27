import type { Boot } from '@agentopia/api'
import { BOOT_STAGES, type BootStage, type BootState } from '@agentopia/dtma/contract'
import { eq } from 'drizzle-orm'
import type { Tx } from '../store/connect.ts'
import { toolboxes } from '../store/schema/index.ts'
import { findUnusedToken } from './enrolment.store.ts'

/** Is this the token with which this toolbox may still be enrolled? A used one says nothing any more. */
export async function mayReport(tx: Tx, token: string, toolboxId: string, now: Date): Promise<boolean> {
  return (await findUnusedToken(tx, token, now))?.toolboxId === toolboxId
}

export interface BootNews {
  readonly stage: BootStage
  readonly state: BootState
  readonly log?: string | undefined
}

/** What is known of a boot after this news: earlier stages are over, and what came after this one in an earlier run is forgotten. */
function bootAfter(boot: Boot | null, { stage, state, log }: BootNews, at: string): Boot {
  const place = BOOT_STAGES.indexOf(stage)
  const before = (boot?.stages ?? [])
    .filter((known) => BOOT_STAGES.indexOf(known.stage) < place)
    .map((known) => (known.state === 'running' ? { ...known, state: 'done' as const } : known))
  const begunAnew = boot?.stages.some((known) => BOOT_STAGES.indexOf(known.stage) > place)
  const newest = log || (begunAnew ? undefined : boot?.log)
  return { stages: [...before, { stage, state, at }], ...(newest ? { log: newest } : {}) }
}

export async function storeBoot(tx: Tx, toolboxId: string, news: BootNews, now: Date): Promise<void> {
  const [row] = await tx
    .select({ boot: toolboxes.boot })
    .from(toolboxes)
    .where(eq(toolboxes.id, toolboxId))
    .for('update')
  if (!row) return
  await tx
    .update(toolboxes)
    .set({ boot: bootAfter(row.boot, news, now.toISOString()) })
    .where(eq(toolboxes.id, toolboxId))
}
