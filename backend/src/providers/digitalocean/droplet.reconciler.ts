import type { ToolboxStatus } from '@agentopia/api'
import type { SQL } from 'drizzle-orm'
import { recordActivity } from '../../events/activity.store.ts'
import type { Clock } from '../../reconcile/clock.ts'
import { createNowSince } from '../../reconcile/now-since.ts'
import { again, type Outcome, type Reconciler, settled } from '../../reconcile/reconciler.ts'
import { underLease } from '../../reconcile/under-lease.ts'
import { roadOf } from '../../road-change/road-change.step.ts'
import { digestOf } from '../../secret.ts'
import type { Store, Tx } from '../../store/connect.ts'
import { toolboxes } from '../../store/schema/index.ts'
import type { ProvisioningRecord } from '../../store/schema/toolboxes.ts'
import { endToolbox } from '../../toolboxes/provision.store.ts'
import { findToolbox, moveTo, restate, type ToolboxRow } from '../../toolboxes/toolbox.store.ts'
import { extendEnrolmentToken, issueEnrolmentToken, voidIdentity } from '../../uplink/enrolment.store.ts'
import { addressOf, type Droplet, imageOf } from './api.types.ts'
import type { DigitalOcean } from './client.ts'
import { DigitalOceanError } from './digitalocean-error.ts'
import { markLost } from './droplet.lost.ts'
import { type DropletStep, nextDropletStep, owesAddress, type SeenDroplet } from './droplet.step.ts'
import { listDropletToolboxes, recordOf, writeDroplet } from './droplet.store.ts'
import { directTag, dropletName, environmentTag, PRODUCT_TAG, toolboxTag } from './droplet-names.ts'
import { poweredOff } from './droplet-words.ts'
import { ensureFirewalls } from './firewall.ts'
import { reservedAddresses } from './reserved-ip.ts'
import { userData } from './user-data.ts'

export interface DropletReconcilerDeps {
  readonly store: Store
  readonly clock: Clock
  /** The DigitalOcean of an account; `undefined` without a token. */
  readonly clientOf: (accountId: string) => Promise<DigitalOcean | undefined>
  readonly environment: string
  readonly publicUrl: string
  readonly keyPin?: string | undefined
  /** Identifier of this replica's process. */
  readonly owner: string
  /** From where droplets of the direct road are dialled. @throws {ProblemError} When nobody has said it. */
  readonly directSources: () => readonly string[]
  /** Closes the tunnel of a toolbox whose credentials are void. */
  readonly disconnect: (toolboxId: string) => void
}

const SOON_MS = 2_000
const STEADY: readonly ToolboxStatus[] = [
  'active',
  'unresponsive',
  'error_provisioning',
  'lost',
  'quarantined',
  'resizing',
]
const EARLY: readonly ToolboxStatus[] = ['pending_provision', 'provisioning', 'awaiting_heartbeat']

/** Brings toolboxes that are droplets from what was asked for to what is, one step a call. Its loop's deadline must be {@link LEASED_STEP_MS}. */
export function dropletReconciler(deps: DropletReconcilerDeps): Reconciler {
  const { store, clock, clientOf, environment, publicUrl, keyPin, owner, directSources, disconnect } = deps
  const now = () => new Date(clock.now())
  const nowSince = createNowSince(clock)
  const addresses = reservedAddresses(store)

  async function step(row: ToolboxRow, held: SQL, signal: AbortSignal): Promise<Outcome> {
    const record = recordOf(row)
    const known = {
      desired: row.desired,
      status: row.status,
      record,
      hasAddress: row.reservedIpAddress !== null,
      retries: row.retries,
      ...(row.doDropletId === null ? {} : { ownId: row.doDropletId }),
    }
    const isSteady = STEADY.includes(row.status) && row.retries <= record.retry && !owesAddress(known)
    if (row.desired === 'present' && isSteady) return settled
    if (row.desired === 'absent') await leave(row, held)
    const client = await clientOf(row.accountId)
    if (!client) return fail(row, 'The account has no token of DigitalOcean any more', held)
    const droplets = await look(client, row, signal)
    const next = nextDropletStep({ ...known, droplets, now: nowSince(row.id, record.upSince ?? record.askedAt) })
    return act(next, { row, record, held, client, signal })
  }

  /** Everything with the tag of the toolbox, and the droplet that is known: lists may lag. */
  async function look(client: DigitalOcean, row: ToolboxRow, signal: AbortSignal): Promise<SeenDroplet[]> {
    const found = await client.dropletsByTag(toolboxTag(row.id), signal)
    const ours = found.filter(({ tags }) => tags.includes(environmentTag(environment)))
    if (row.doDropletId !== null && !ours.some(({ id }) => id === row.doDropletId)) {
      const known = await client.droplet(row.doDropletId, signal)
      if (known) ours.push(known)
    }
    return ours.map(seen)
  }

  interface Work {
    readonly row: ToolboxRow
    readonly record: ProvisioningRecord
    readonly held: SQL
    readonly client: DigitalOcean
    readonly signal: AbortSignal
  }

  async function act(next: DropletStep, work: Work): Promise<Outcome> {
    const { row, record, held, client, signal } = work
    switch (next.kind) {
      case 'none':
        return settled
      case 'wait':
      case 'wait-for-power': {
        const off = next.kind === 'wait-for-power' ? poweredOff({ ...row, doDropletId: next.id }) : undefined
        await store.system((tx) => keepWaiting(tx, work, off))
        return again(next.ms)
      }
      case 'ask':
        return ask(work)
      case 'count-empty': {
        const looked = { ...record, emptyLooks: record.emptyLooks + 1, lookedAt: now().toISOString() }
        await store.system((tx) => writeDroplet(tx, held, { provisioning: looked }))
        return again(next.ms)
      }
      case 'adopt':
        await adopt(row, record, next.droplet, held)
        return again(SOON_MS)
      case 'assign-address':
        if (row.status === 'awaiting_heartbeat') await store.system((tx) => keepWaiting(tx, work, undefined))
        return addresses.assign(row, next.id, client, held, signal)
      case 'destroy':
        // An address outlives its droplet, whoever assigned it: it is led to the next one, or given back.
        await addresses.note(row, next.ids, client, held, signal)
        for (const id of next.ids) await client.destroyDroplet(id, signal)
        await store.system((tx) => writeDroplet(tx, held, { provisioning: { ...record, emptyLooks: 0 } }))
        return again(SOON_MS)
      case 'begin-anew':
        await store.system(async (tx) => {
          const owed = row.reservedIpAddress === null ? {} : { addressTries: 0 }
          const fresh = { retry: row.retries, attempts: 0, emptyLooks: 0, ...owed }
          await writeDroplet(tx, held, { provisioning: fresh, doDropletId: null, publicIpAddress: null, boot: null })
          await moveTo(tx, row.id, { to: 'provisioning', now: now(), when: held })
        })
        return again(0)
      case 'give-up':
        for (const id of next.destroy) await client.destroyDroplet(id, signal)
        // What we know to be gone is nothing that somebody destroys.
        if (!next.remains)
          await store.system((tx) => writeDroplet(tx, held, { doDropletId: null, publicIpAddress: null }))
        return fail(row, withBoot(row, next.reason), held)
      case 'lost':
        await store.system((tx) => markLost(tx, row, now(), held))
        return settled
      case 'gone':
        await addresses.giveBack(row, client, held, signal)
        await finish(row, held)
        return settled
    }
  }

  /** The intent first; what is lost on the way is found again by the tag. */
  async function ask({ row, record, held, client, signal }: Work): Promise<Outcome> {
    const { placement } = row
    if (!placement) return fail(row, 'It is not written down which droplet was asked for', held)
    const opening = row.direct ? { port: row.direct.port, sources: directSources() } : undefined
    await ensureFirewalls(client, environment, opening, signal)
    const { askedAt: _, outcome: __, upSince: ___, ...before } = record
    const asked = { ...before, attempts: record.attempts + 1, emptyLooks: 0, askedAt: now().toISOString() }
    const token = await store.system(async (tx) => {
      const issued = await issueEnrolmentToken(tx, row, now())
      const intent = { ...asked, outcome: 'unknown' as const, bornWith: digestOf(issued), bornBy: roadOf(row) }
      if (!(await writeDroplet(tx, held, { provisioning: intent }))) return undefined
      await moveTo(tx, row.id, { to: 'provisioning', now: now(), when: held })
      return issued
    })
    if (token === undefined) return again(SOON_MS) // another replica is at it
    const born = { bornWith: digestOf(token), bornBy: roadOf(row) }
    try {
      const droplet = await client.createDroplet(
        {
          name: dropletName(row.name, row.id),
          region: placement.region,
          size: placement.size,
          image: imageOf(placement.image),
          user_data: userData({
            variant: row.installVariant,
            publicUrl,
            keyPin,
            toolboxId: row.id,
            enrolmentToken: token,
            directPort: row.direct?.port,
          }),
          tags: [
            PRODUCT_TAG,
            environmentTag(environment),
            toolboxTag(row.id),
            ...(row.direct ? [directTag(environment)] : []),
          ],
          monitoring: false,
          backups: false,
          ipv6: false,
        },
        signal,
      )
      await store.system((tx) =>
        writeDroplet(tx, held, { provisioning: { ...asked, ...born, outcome: 'made' }, doDropletId: droplet.id }),
      )
      return again(SOON_MS)
    } catch (error) {
      if (error instanceof DigitalOceanError && error.kind !== 'unknown') {
        const refused = { ...asked, attempts: record.attempts, outcome: 'refused' as const }
        await store.system((tx) => writeDroplet(tx, held, { provisioning: refused }))
      }
      throw error
    }
  }

  async function adopt(
    row: ToolboxRow,
    record: ProvisioningRecord,
    { id, address }: SeenDroplet,
    held: SQL,
  ): Promise<void> {
    await store.system(async (tx) => {
      const known = {
        ...record,
        emptyLooks: 0,
        outcome: 'made' as const,
        upSince: record.upSince ?? now().toISOString(),
      }
      await writeDroplet(tx, held, { provisioning: known, doDropletId: id, publicIpAddress: address ?? null })
      if (row.status === 'pending_provision') await moveTo(tx, row.id, { to: 'provisioning', now: now(), when: held })
      const moved = await moveTo(tx, row.id, {
        to: 'awaiting_heartbeat',
        now: now(),
        when: held,
        from: ['provisioning'],
      })
      await extendEnrolmentToken(tx, row.id, now())
      if (moved) await tell(tx, row, 'toolbox.droplet', `The droplet ${id} of ${row.name} runs at ${address}`)
    })
  }

  /** A slow machine may still come; a failed stage is shown at once, and that it is off. */
  async function keepWaiting(tx: Tx, { row, record, held }: Work, off: string | undefined): Promise<void> {
    const isAwaited = row.status === 'awaiting_heartbeat'
    if (isAwaited) await extendEnrolmentToken(tx, row.id, now())
    // Gone is what many looks in a row did not find.
    if (record.emptyLooks > 0) await writeDroplet(tx, held, { provisioning: { ...record, emptyLooks: 0 } })
    await restate(tx, row.id, row.status, off ?? (isAwaited ? failedStage(row) : undefined) ?? null)
  }

  /** What it had opens nothing from now on: DigitalOcean may take its time, and nobody waits for that to lock a machine out. */
  async function leave(row: ToolboxRow, held: SQL): Promise<void> {
    await store.system(async (tx) => {
      await moveTo(tx, row.id, { to: 'pending_deprovision', now: now(), when: held })
      await moveTo(tx, row.id, { to: 'deprovisioning', now: now(), when: held })
      await voidIdentity(tx, row.id)
    })
    disconnect(row.id)
  }

  async function finish(row: ToolboxRow, held: SQL): Promise<void> {
    await store.system(async (tx) => {
      if (!(await endToolbox(tx, row, now(), held))) return
      await tell(tx, row, 'toolbox.deprovisioned', `${row.name} is deprovisioned: its droplet is gone`)
    })
  }

  /** Shows people why it does not go on. */
  async function fail(row: ToolboxRow, reason: string, held: SQL): Promise<Outcome> {
    await store.system(async (tx) => {
      const to = row.desired === 'absent' ? 'error_deprovisioning' : 'error_provisioning'
      const from = row.desired === 'absent' ? undefined : [...EARLY, 'lost' as const]
      const failed = await moveTo(tx, row.id, { to, reason, now: now(), when: held, ...(from ? { from } : {}) })
      if (failed) await tell(tx, row, `toolbox.${to}`, `${row.name}: ${reason}`)
      else await restate(tx, row.id, to, reason)
    })
    return settled
  }

  async function failed(error: DigitalOceanError, row: ToolboxRow, held: SQL): Promise<Outcome> {
    if (error.kind === 'limited') {
      const reason = 'Waits: so many calls of DigitalOcean are allowed a minute, and no more'
      await store.system(async (tx) => {
        for (const status of EARLY) await restate(tx, row.id, status, reason) // at most one is its status now
      })
      return again(Math.max(error.retryAfterMs, SOON_MS))
    }
    if (row.desired === 'absent') {
      await fail(row, error.message, held)
      throw error // tried again, ever more slowly, for as long as it takes
    }
    if (error.kind === 'unknown') throw error // what came of it is found out by looking
    return fail(row, error.message, held)
  }

  return {
    name: 'droplet',
    list: () => store.system(listDropletToolboxes),
    reconcile: (id, signal) =>
      underLease({ store, table: toolboxes, id, owner }, async (held) => {
        const row = await store.system((tx) => findToolbox(tx, id))
        if (row?.provider !== 'digitalocean' || row.status === 'deprovisioned') return settled
        try {
          return await step(row, held, signal)
        } catch (error) {
          if (error instanceof DigitalOceanError) return failed(error, row, held)
          throw error
        }
      }),
  }
}

function seen(droplet: Droplet): SeenDroplet {
  const address = addressOf(droplet)
  return { id: droplet.id, status: droplet.status, ...(address === undefined ? {} : { address }) }
}

function failedStage({ boot }: ToolboxRow): string | undefined {
  const stage = boot?.stages.find(({ state }) => state === 'failed')?.stage
  return stage && `The installation failed at the stage ${stage}; it is tried again. Its log is below`
}

/** How far it came is the best hint at the cause. */
function withBoot({ boot }: ToolboxRow, reason: string): string {
  const last = boot?.stages.at(-1)
  return last ? `${reason}; the last stage was ${last.stage}, ${last.state}` : `${reason}; it reported no stage at all`
}

const tell = (tx: Tx, { id, accountId }: ToolboxRow, action: string, message: string) =>
  recordActivity(tx, { accountId, actor: 'control plane', action, subject: id, toolboxId: id, message })
