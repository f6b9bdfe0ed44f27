import { type Direct, ProblemError, ROAD_NAMES, type Road } from '@agentopia/api'
import { DTMA_PORT } from '@agentopia/dtma/contract'
import { and, count, eq, gt } from 'drizzle-orm'
import { recordActivity } from '../../events/activity.store.ts'
import type { Clock } from '../../reconcile/clock.ts'
import { roadOf } from '../../road-change/road-change.step.ts'
import type { Store, Tx } from '../../store/connect.ts'
import type { ActionRecord } from '../../store/schema/droplet-actions.ts'
import { activities, toolboxes } from '../../store/schema/index.ts'
import { askOf, lockToolbox, type ToolboxRow } from '../../toolboxes/toolbox.store.ts'
import type { ActionWork } from './action.reconciler.ts'
import { writeAction } from './action.store.ts'
import { DigitalOceanError } from './digitalocean-error.ts'
import type { DropletDoor } from './droplet.door.ts'

/** As every droplet of the direct road is dialled. */
const DIRECT: Direct = { port: DTMA_PORT, plainHttp: false }
const OTHER = { tunnel: 'direct', direct: 'tunnel' } as const satisfies Record<Road, Road>

export interface RebuildRoadDeps {
  readonly store: Store
  readonly clock: Clock
  readonly door: Pick<DropletDoor, 'open'>
}

/** By which road a droplet with a fresh disk is reached: its user-data names the one that it was made with. Both may be repeated after a crash. */
export function rebuildRoad({ store, clock, door }: RebuildRoadDeps) {
  /** What will not be done is told later, by the change to the road that it had. @throws {DigitalOceanError} When it may be done yet. */
  async function open(toolbox: ToolboxRow, signal: AbortSignal): Promise<void> {
    try {
      await door.open(toolbox, DTMA_PORT, signal)
    } catch (error) {
      const mayBecome = error instanceof DigitalOceanError && (error.kind === 'limited' || error.kind === 'unknown')
      if (mayBecome || !(error instanceof DigitalOceanError || error instanceof ProblemError)) throw error
    }
  }

  return {
    /** Its disk is fresh: it is reached by the road that it was made with. @returns The record, with the road that it had. */
    async begin({ row, toolbox, held, signal }: Omit<ActionWork, 'client'>): Promise<ActionRecord> {
      const born = await store.system((tx) => roadOfBirth(tx, toolbox))
      const roadBack = roadOf(toolbox)
      if (born === roadBack) return row.record
      if (born === 'direct') await open(toolbox, signal)
      const record = { ...row.record, roadBack }
      await store.system(async (tx) => {
        const present = await lockToolbox(tx, toolbox.id)
        if (!present?.provisioning || !(await writeAction(tx, held, { record }))) return
        const direct = born === 'direct' ? DIRECT : null
        const provisioning = { ...present.provisioning, bornBy: born }
        await tx.update(toolboxes).set({ direct, provisioning }).where(eq(toolboxes.id, toolbox.id))
      })
      return record
    },

    /** It has enrolled: the road that it had is asked for, as by whoever asked for the rebuild. */
    async askBack({ row, toolbox }: Pick<ActionWork, 'row' | 'toolbox'>): Promise<void> {
      const { id: attempt, actor } = row
      const { roadBack } = row.record
      if (roadBack === undefined) return
      await store.system(async (tx) => {
        const present = await lockToolbox(tx, toolbox.id)
        if (!present || present.roadAsked?.attempt === attempt || roadOf(present) === roadBack) return
        const { id, accountId, name } = present
        const place = roadBack === 'direct' ? { port: DTMA_PORT } : {}
        const askedAt = new Date(clock.now()).toISOString()
        await askOf(tx, id, { roadAsked: { attempt, road: roadBack, ...place, actor, askedAt } })
        await recordActivity(tx, {
          accountId,
          actor,
          action: 'toolbox.change-road',
          subject: id,
          toolboxId: id,
          message: `Asked for the ${ROAD_NAMES[roadBack]} to ${name} again: its droplet was rebuilt, and begins with the one that it was made with`,
        })
      })
    },
  }
}

/** The road that the user-data of its droplet names. */
async function roadOfBirth(tx: Tx, toolbox: ToolboxRow): Promise<Road> {
  const { bornBy, askedAt } = toolbox.provisioning ?? {}
  if (bornBy !== undefined) return bornBy
  // From before it was kept: each change since then led from one of two to the other.
  const changes = and(
    eq(activities.toolboxId, toolbox.id),
    eq(activities.action, 'toolbox.road-changed'),
    askedAt === undefined ? undefined : gt(activities.at, new Date(askedAt)),
  )
  const [changed] = await tx.select({ times: count() }).from(activities).where(changes)
  return (changed?.times ?? 0) % 2 === 0 ? roadOf(toolbox) : OTHER[roadOf(toolbox)]
}
