import { randomUUID } from 'node:crypto'
import type { Mount } from './http/mount.ts'
import { type RotationReconcilerDeps, rotationReconciler } from './key-rotation/rotation.reconciler.ts'
import { rotationRoutes } from './key-rotation/rotation.routes.ts'
import { nextStep as nextRotationStep } from './key-rotation/rotation.step.ts'
import { newId } from './new-id.ts'
import { type LoopDeps, runLoop } from './reconcile/loop.ts'
import { newestOr, type Releases } from './releases/releases.ts'
import { rolloutReconciler } from './releases/rollout.reconciler.ts'
import { rolloutRoutes } from './releases/rollout.routes.ts'
import { type UpdateReconcilerDeps, updateReconciler } from './releases/update.reconciler.ts'
import { updateRoutes } from './releases/update.routes.ts'
import { isUnderWay } from './releases/update.step.ts'
import { type RoadChangeReconcilerDeps, roadChangeReconciler } from './road-change/road-change.reconciler.ts'
import { type RoadChangeRouteDeps, roadChangeRoutes } from './road-change/road-change.routes.ts'
import { nextStep as nextRoadStep } from './road-change/road-change.step.ts'
import type { ToolboxRow } from './toolboxes/toolbox.store.ts'
import type { ToolboxViews } from './toolboxes/toolbox.views.ts'

export interface DtmaUpkeepDeps
  extends UpdateReconcilerDeps,
    RotationReconcilerDeps,
    Omit<RoadChangeReconcilerDeps, 'random'> {
  readonly releases: Releases
  readonly directPolicy: RoadChangeRouteDeps['directPolicy']
  readonly loop: LoopDeps
}

/** DTMA on toolboxes: newer versions, one by one and in waves, other keys and other roads; asked for by people, brought about by four loops. */
export function createDtmaUpkeep({ loop, ...deps }: DtmaUpkeepDeps) {
  const { store, clock, releases, directPolicy } = deps
  const updateLoop = runLoop(updateReconciler(deps), loop)
  const rolloutLoop = runLoop(rolloutReconciler({ store, clock, newAttempt: randomUUID, wake: updateLoop.wake }), loop)
  const rotationLoop = runLoop(rotationReconciler(deps), loop)
  const roadLoop = runLoop(roadChangeReconciler({ ...deps, random: loop.random }), loop)
  return {
    routes(mount: Mount, views: ToolboxViews): void {
      const newestNow = newestOr(releases)
      updateRoutes(mount, { store, clock, views, newestNow, newAttempt: randomUUID, wake: updateLoop.wake })
      rolloutRoutes(mount, { store, clock, newId, newestNow, wake: rolloutLoop.wake })
      rotationRoutes(mount, { store, clock, views, newAttempt: randomUUID, wake: rotationLoop.wake })
      roadChangeRoutes(mount, { store, clock, views, directPolicy, newAttempt: randomUUID, wake: roadLoop.wake })
    },
    /** There is news of a toolbox. */
    wakeOn(row: ToolboxRow): void {
      if (isUnderWay(row)) updateLoop.wake(row.id)
      if (nextRotationStep(row) !== 'settled') rotationLoop.wake(row.id)
      if (nextRoadStep(row) !== 'settled') roadLoop.wake(row.id)
    },
    stopped: Promise.all([updateLoop.stopped, rolloutLoop.stopped, rotationLoop.stopped, roadLoop.stopped]),
  }
}
