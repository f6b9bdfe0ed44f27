import {
  createJoinLine,
  createToolbox,
  type Direct,
  type Parsed,
  type Placement,
  problem,
  removeToolbox,
  retryToolbox,
} from '@agentopia/api'
import { DTMA_PORT } from '@agentopia/dtma/contract'
import { recordActivity } from '../events/activity.store.ts'
import type { Caller } from '../http/caller.ts'
import { once } from '../http/idempotency.ts'
import type { Mount } from '../http/mount.ts'
import type { Installer } from '../install/installer.ts'
import { joinLine, onlyHere } from '../install/join-line.ts'
import type { IdPrefix } from '../new-id.ts'
import type { Clock } from '../reconcile/clock.ts'
import type { Store, Tx } from '../store/connect.ts'
import { ENROLMENT_TTL_MS, issueEnrolmentToken } from '../uplink/enrolment.store.ts'
import type { DirectPolicy } from './direct-policy.ts'
import { askAgain, askForEnd, askToEnrolAnew, insertToolboxRow } from './provision.store.ts'
import { findToolbox, type ToolboxRow, toolboxNotFound } from './toolbox.store.ts'
import type { ToolboxViews } from './toolbox.views.ts'
import type { ToolboxLimits } from './toolbox-limits.ts'

export interface ProvisionRouteDeps {
  readonly store: Store
  readonly clock: Clock
  readonly newId: (prefix: IdPrefix) => string
  readonly views: ToolboxViews
  readonly publicUrl: string
  readonly keyPin?: string | undefined
  readonly installer: Pick<Installer, 'require'>
  readonly limits: ToolboxLimits
  /** What may be dialled. */
  readonly directPolicy: Pick<DirectPolicy, 'check' | 'sources'>
  /** Wakes the reconciler, so that nobody waits for the next resync. */
  readonly wake: (toolboxId: string) => void
  /** As `wake`, for a machine that does not exist yet. */
  readonly expect: (toolboxId: string) => void
  /** Checks that such a droplet can be had, and what it costs. @throws {ProblemError} */
  readonly placementOf: (accountId: string, wanted: WantedDroplet) => Promise<Placement>
}

type WantedDroplet = Extract<Parsed<typeof createToolbox>['body'], { provider: 'digitalocean' }>

/** What people ask of toolboxes: it is written down and answered at once; reconcilers carry it out. */
export function provisionRoutes(mount: Mount, deps: ProvisionRouteDeps): void {
  const { store, clock, newId, views, publicUrl, keyPin, installer, limits, directPolicy, wake, expect, placementOf } =
    deps

  mount.reply(createToolbox, async ({ body }, { caller, idempotencyKey }) => {
    const { accountId } = caller
    const { variant } = body
    installer.require(variant)
    const direct = directOf(body)
    const placement = body.provider === 'digitalocean' ? await place(accountId, body) : undefined
    const made = await store.tenant(accountId, (tx) =>
      once(tx, { accountId, key: idempotencyKey, operation: createToolbox.id, request: body }, async () => {
        const { name, provider } = body
        const asked = {
          id: newId('toolbox'),
          accountId,
          name,
          provider,
          installVariant: variant,
          ...(placement ? { placement } : {}),
          ...(body.provider === 'ssh' ? { sshPlace: { host: body.host, port: body.port, user: body.user } } : {}),
          ...(direct ? { direct } : {}),
        }
        const row = await insertToolboxRow(tx, asked, limits)
        const cost = placement ? `, ${placement.size} in ${placement.region}, ${placement.monthlyUsd} USD a month` : ''
        const road = direct ? ', by the direct road' : ''
        await record(tx, caller, row, 'toolbox.created', `Asked for the toolbox ${name} (${provider}${cost}${road})`)
        return viewOf(tx, row)
      }),
    )
    expect(made.id)
    return made
  })

  /** @throws {ProblemError} `direct-not-possible` */
  function directOf(wanted: Parsed<typeof createToolbox>['body']): Direct | undefined {
    if (wanted.provider === 'join') {
      if (wanted.direct) directPolicy.check(wanted.direct)
      return wanted.direct
    }
    if (wanted.provider === 'ssh' || !wanted.direct) return undefined
    directPolicy.sources()
    return { port: DTMA_PORT, plainHttp: false }
  }

  async function place(accountId: string, wanted: WantedDroplet): Promise<Placement> {
    if (onlyHere(publicUrl))
      throw problem('unreachable-control-plane', `A droplet cannot reach ${publicUrl}, where this control plane is`)
    return placementOf(accountId, wanted)
  }

  mount.reply(removeToolbox, async ({ params: { toolboxId }, query: { confirm } }, { caller }) => {
    const view = await store.tenant(caller.accountId, async (tx) => {
      const before = await present(tx, toolboxId)
      if (confirm === undefined ? before.provider === 'digitalocean' : confirm !== before.name)
        throw problem('not-confirmed', `The toolbox is called ${before.name}`)
      const row = await askForEnd(tx, toolboxId)
      if (before.desired !== 'absent')
        await record(tx, caller, row, 'toolbox.removed', `Asked for the end of the toolbox ${row.name}`)
      return viewOf(tx, row)
    })
    wake(toolboxId)
    return view
  })

  mount.reply(retryToolbox, async ({ params: { toolboxId } }, { caller }) => {
    const view = await store.tenant(caller.accountId, async (tx) => {
      const { name, status } = await present(tx, toolboxId)
      const row = (await askAgain(tx, toolboxId)) ?? (await askToEnrolAnew(tx, toolboxId, new Date(clock.now())))
      if (!row) throw problem('not-retryable', `${name} is ${status}`)
      await record(tx, caller, row, 'toolbox.retried', `Asked to try ${name} again`)
      return viewOf(tx, row)
    })
    wake(toolboxId)
    return view
  })

  mount.reply(createJoinLine, ({ params: { toolboxId } }, { caller }) =>
    store.tenant(caller.accountId, async (tx) => {
      const row = await present(tx, toolboxId)
      const lockedOut = row.provider === 'digitalocean' && row.status === 'quarantined'
      if ((!['join', 'ssh'].includes(row.provider) && !lockedOut) || row.desired === 'absent')
        throw problem('not-joinable', `${row.name} is of the provider ${row.provider}, and ${row.status}`)
      const now = clock.now()
      const token = await issueEnrolmentToken(tx, row, new Date(now))
      await record(tx, caller, row, 'toolbox.join-line', `Made a line that joins a server as ${row.name}`)
      const expiresAt = new Date(now + ENROLMENT_TTL_MS).toISOString()
      return {
        ...joinLine({ variant: row.installVariant, publicUrl, keyPin, toolboxId, token, direct: row.direct }),
        expiresAt,
      }
    }),
  )

  async function present(tx: Tx, toolboxId: string): Promise<ToolboxRow> {
    const row = await findToolbox(tx, toolboxId)
    if (!row || row.deletedAt) throw toolboxNotFound(toolboxId)
    return row
  }

  const viewOf = async (tx: Tx, row: ToolboxRow) => (await views(tx, [row]))[0]!
}

const record = (tx: Tx, { actor }: Caller, { id, accountId }: ToolboxRow, action: string, message: string) =>
  recordActivity(tx, { accountId, actor, action, subject: id, toolboxId: id, message })
