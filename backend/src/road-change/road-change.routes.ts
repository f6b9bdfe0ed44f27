import { changeToolboxRoad, type Parsed, problem, ROAD_NAMES } from '@agentopia/api'
import { DTMA_PORT } from '@agentopia/dtma/contract'
import { recordActivity } from '../events/activity.store.ts'
import type { Mount } from '../http/mount.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store } from '../store/connect.ts'
import type { DirectPolicy } from '../toolboxes/direct-policy.ts'
import { requireIdle } from '../toolboxes/require-idle.ts'
import { askOf, lockToolbox, type ToolboxRow, toolboxNotFound } from '../toolboxes/toolbox.store.ts'
import type { ToolboxViews } from '../toolboxes/toolbox.views.ts'
import { isChanging, roadOf } from './road-change.step.ts'

export interface RoadChangeRouteDeps {
  readonly store: Store
  readonly clock: Clock
  readonly views: ToolboxViews
  /** What may be dialled. */
  readonly directPolicy: Pick<DirectPolicy, 'check' | 'sources'>
  /** Names an attempt. */
  readonly newAttempt: () => string
  /** Wakes the reconciler of roads, so that nobody waits for the next resync. */
  readonly wake: (toolboxId: string) => void
}

type Wanted = Parsed<typeof changeToolboxRoad>['body']

/** People ask for another road to a toolbox: it is written down, and the reconciler tries it. */
export function roadChangeRoutes(mount: Mount, deps: RoadChangeRouteDeps): void {
  const { store, clock, views, directPolicy, newAttempt, wake } = deps

  mount.reply(changeToolboxRoad, async ({ params: { toolboxId }, body }, { caller }) => {
    const view = await store.tenant(caller.accountId, async (tx) => {
      const row = await lockToolbox(tx, toolboxId)
      if (!row) throw toolboxNotFound(toolboxId)
      if (isSameAsked(row, body)) return (await views(tx, [row]))[0]!
      requireActive(row)
      await requireIdle(tx, row)
      if (roadOf(row) === body.road) throw problem('road-unchanged', `${row.name} has it already`)
      const place = placeOf(row, body)
      const { id, accountId, name } = row
      const { actor } = caller
      const askedAt = new Date(clock.now()).toISOString()
      const roadAsked = { attempt: newAttempt(), road: body.road, ...place, actor, askedAt }
      const asked = await askOf(tx, id, { roadAsked })
      const message = `Asked for the ${ROAD_NAMES[body.road]} to ${name}`
      await recordActivity(tx, { accountId, actor, action: 'toolbox.change-road', subject: id, toolboxId: id, message })
      return (await views(tx, [asked]))[0]!
    })
    wake(toolboxId)
    return view
  })

  /** Where it will be dialled. @throws {ProblemError} `direct-not-possible` */
  function placeOf(row: ToolboxRow, wanted: Wanted): { address?: string; port?: number } {
    if (wanted.road === 'tunnel') return {}
    const { port } = wanted
    if (row.provider === 'digitalocean') {
      if (wanted.address !== undefined || (port ?? DTMA_PORT) !== DTMA_PORT)
        throw problem('direct-not-possible', `A droplet is dialled at its own address, port ${DTMA_PORT}`)
      directPolicy.sources()
      return { port: DTMA_PORT }
    }
    const address = wanted.address ?? row.sshPlace?.host
    if (address === undefined)
      throw problem('direct-not-possible', 'Nobody but its owner knows where it is dialled: give an address')
    directPolicy.check({ address, port: port ?? DTMA_PORT, plainHttp: false })
    return { address, ...(port === undefined ? {} : { port }) }
  }
}

/** Asking again for what is under way changes nothing. */
function isSameAsked(row: ToolboxRow, wanted: Wanted): boolean {
  const { roadAsked: asked } = row
  if (!isChanging(row) || asked?.road !== wanted.road) return false
  if (wanted.road === 'tunnel') return true
  return (
    (wanted.address === undefined || wanted.address === asked.address) &&
    (wanted.port === undefined || wanted.port === asked.port)
  )
}

/** @throws {ProblemError} `toolbox-not-active` */
function requireActive(row: ToolboxRow): void {
  if (row.desired === 'absent' || row.status !== 'active' || row.backendToDtmaApiKey === null)
    throw problem('toolbox-not-active', `${row.name} is ${row.desired === 'absent' ? 'on its way out' : wordsOf(row)}`)
}

const wordsOf = ({ status }: ToolboxRow): string => (status === 'active' ? 'not enrolled' : status.replaceAll('_', ' '))
