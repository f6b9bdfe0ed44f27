import { groupReconciler } from '../groups/group.reconciler.ts'
import { groupRoutes } from '../groups/group.routes.ts'
import { listUnsettled } from '../groups/group.store.ts'
import type { Mount } from '../http/mount.ts'
import { newId } from '../new-id.ts'
import { type LoopDeps, runLoop } from '../reconcile/loop.ts'
import type { Tx } from '../store/connect.ts'
import { type InstanceReconcilerDeps, instanceReconciler } from './instance.reconciler.ts'
import { instanceRoutes } from './instance.routes.ts'
import { listInstanceIds } from './instance.store.ts'
import { logRoutes } from './log.routes.ts'

export interface DeployedToolsDeps extends InstanceReconcilerDeps {
  readonly loop: LoopDeps
}

/** The tools on toolboxes, one by one and in groups: asked for by people, brought about by two loops. */
export function createDeployedTools({ loop, ...deps }: DeployedToolsDeps) {
  const { store, catalog, clientOf, owner } = deps
  const instanceLoop = runLoop(instanceReconciler(deps), loop)
  const groupLoop = runLoop(groupReconciler({ store, clock: loop.clock, wakeInstance: instanceLoop.wake, owner }), loop)
  return {
    routes(mount: Mount): void {
      instanceRoutes(mount, { store, catalog, wake: instanceLoop.wake, newId })
      logRoutes(mount, { store, clientOf })
      groupRoutes(mount, { store, catalog, wake: groupLoop.wake, newId })
    },
    /** There is news of these toolboxes. */
    async wakeOn(tx: Tx, toolboxIds: readonly string[]): Promise<void> {
      for (const id of await listInstanceIds(tx, toolboxIds)) instanceLoop.wake(id)
      for (const id of await listUnsettled(tx, toolboxIds)) groupLoop.wake(id)
    },
    stopped: Promise.all([instanceLoop.stopped, groupLoop.stopped]),
  }
}
