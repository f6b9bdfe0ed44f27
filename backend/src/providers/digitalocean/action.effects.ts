import type { Placement } from '@agentopia/api'
import { eq } from 'drizzle-orm'
import { recordActivity } from '../../events/activity.store.ts'
import { newNonce } from '../../secret.ts'
import type { Tx } from '../../store/connect.ts'
import type { ActionRecord } from '../../store/schema/droplet-actions.ts'
import { toolboxes } from '../../store/schema/index.ts'
import { moveTo } from '../../toolboxes/toolbox.store.ts'
import { forgetIdentity, renewEnrolment } from '../../uplink/enrolment.store.ts'
import type { ActionReconcilerDeps, ActionWork } from './action.reconciler.ts'
import type { Stage } from './action.step.ts'
import { titleOf, writeAction } from './action.store.ts'
import { type ActionBody, imageOf } from './api.types.ts'
import type { DigitalOcean } from './client.ts'
import { DigitalOceanError } from './digitalocean-error.ts'
import { bootTag, snapshotName } from './droplet-names.ts'
import { poweredOff } from './droplet-words.ts'
import { rebuildRoad } from './rebuild-road.ts'

type Asked = Exclude<Stage, 'enrol'>

/** What the stages of an action do to the droplet and to the toolbox. Every one may be repeated after a crash. */
export function createActionEffects(deps: ActionReconcilerDeps) {
  const { store, clock, environment, disconnect, priceOf } = deps
  const now = () => new Date(clock.now())
  const road = rebuildRoad(deps)

  return {
    /** Writes down what is about to be asked for. @returns the record; `undefined` when another replica is at it. */
    async intend(stage: Asked, work: ActionWork): Promise<ActionRecord | undefined> {
      const { row, toolbox, held, client, signal } = work
      const { record, request } = row
      const at = now().toISOString()
      const tracked = stage !== 'reserve' && stage !== 'release'
      const newest = tracked ? Math.max(0, ...(await client.actions(dropletOf(work), signal)).map(({ id }) => id)) : 0
      const intent: ActionRecord = {
        ...record,
        begunAt: record.begunAt ?? at,
        attempts: record.attempts + 1,
        askedAt: at,
        outcome: 'unknown',
        after: record.after ?? newest,
        looks: 0,
      }
      // What an earlier request was to be shown is shown no more.
      if (stage === 'rebuild' && record.showing) await client.deleteTag(record.showing, signal)
      const nonce = newNonce()
      return store.system(async (tx) => {
        const written = stage === 'rebuild' ? { ...intent, epoch: toolbox.enrolEpoch, showing: bootTag(nonce) } : intent
        if (!(await writeAction(tx, held, { state: 'running', record: written, message: WORDS[stage] })))
          return undefined
        if (request.kind === 'resize') {
          const reason = `Is off while it becomes ${request.size}`
          await moveTo(tx, toolbox.id, { to: 'resizing', reason, now: now(), from: ['active', 'unresponsive'] })
        }
        if (stage === 'rebuild') {
          const bornWith = toolbox.provisioning?.bornWith
          if (!bornWith)
            throw new DigitalOceanError('refused', 'It is not known with which token the droplet was made: remove it')
          await renewEnrolment(tx, toolbox, { bornWith, nonce, now: now() })
          await tx.update(toolboxes).set({ boot: null }).where(eq(toolboxes.id, toolbox.id))
        }
        return written
      })
    },

    /** @returns the number of DigitalOcean's action, when there is one. */
    async perform(stage: Asked, record: ActionRecord, work: ActionWork): Promise<number | undefined> {
      const { toolbox, client, signal } = work
      const id = dropletOf(work)
      if (stage === 'reserve') {
        const ip = await client.reserveIp(id, signal)
        await store.system((tx) =>
          tx.update(toolboxes).set({ reservedIpAddress: ip }).where(eq(toolboxes.id, toolbox.id)),
        )
        return undefined
      }
      if (stage === 'release') {
        const found = (await client.reservedIps(signal)).find(
          ({ ip, droplet }) => droplet?.id === id || ip === toolbox.reservedIpAddress,
        )
        if (found?.droplet) await client.unassignIp(found.ip, signal)
        if (found) await client.releaseIp(found.ip, signal)
        return undefined
      }
      if (record.showing && stage === 'rebuild') {
        await client.ensureTag(record.showing, signal)
        await client.tagDroplet(record.showing, id, signal)
      }
      return (await client.act(id, bodyOf(stage, work, environment), signal)).id
    },

    /** What is true once a stage is over. @returns the record, with what is to be remembered of it. */
    async afterStage(stage: Stage, work: ActionWork): Promise<ActionRecord> {
      const { row, toolbox, client, signal } = work
      const { record, request } = row
      if (stage === 'rebuild') {
        const image = request.kind === 'rebuild' ? request.image : undefined
        await store.system(async (tx) => {
          if (image && toolbox.placement)
            await tx
              .update(toolboxes)
              .set({ placement: { ...toolbox.placement, image } })
              .where(eq(toolboxes.id, toolbox.id))
          if (!(await forgetIdentity(tx, toolbox.id, record.epoch ?? 0))) return // it has enrolled already
          const up = { ...toolbox.provisioning, emptyLooks: 0, upSince: now().toISOString() } as NonNullable<
            typeof toolbox.provisioning
          >
          await tx.update(toolboxes).set({ provisioning: up }).where(eq(toolboxes.id, toolbox.id))
          const reason = 'Has a fresh disk, and installs DTMA anew'
          await moveTo(tx, toolbox.id, { to: 'awaiting_heartbeat', reason, now: now() })
        })
        disconnect(toolbox.id)
        return road.begin(work)
      }
      if (stage === 'enrol') await road.askBack(work)
      if (stage === 'reserve') {
        const { doDropletId } = toolbox
        const found = (await client.reservedIps(signal)).find(({ droplet }) => droplet?.id === doDropletId)
        const reservedIpAddress = found?.ip ?? null
        await store.system((tx) => tx.update(toolboxes).set({ reservedIpAddress }).where(eq(toolboxes.id, toolbox.id)))
      }
      if (stage === 'release')
        await store.system((tx) =>
          tx.update(toolboxes).set({ reservedIpAddress: null }).where(eq(toolboxes.id, toolbox.id)),
        )
      // Nobody asked for it to be off: it was, and stays so.
      return stage === 'shutdown' && record.attempts === 0 ? { ...record, wasOff: true } : record
    },

    /** The end, with its result on record under the name of who asked. @param failure Absent: it is done. */
    async finish(
      work: Omit<ActionWork, 'client'> & { readonly client: DigitalOcean | undefined },
      failure?: string,
    ): Promise<void> {
      const { row, toolbox, held, client, signal } = work
      const left = row.record.showing && client ? await hideTag(client, row.record.showing, signal) : ''
      const size = row.request.kind === 'resize' && failure === undefined ? row.request.size : undefined
      const placement =
        size && toolbox.placement ? await placementOf(toolbox.accountId, toolbox.placement, size) : undefined
      await store.system(async (tx) => {
        const state = failure === undefined ? 'done' : 'failed'
        const words = failure ?? (placement ? `It costs $${placement.monthlyUsd} a month now` : '')
        const message = `${words}${left}` || null
        if (!(await writeAction(tx, held, { state, message, endedAt: now() }))) return
        if (placement) await tx.update(toolboxes).set({ placement }).where(eq(toolboxes.id, toolbox.id))
        await showEnd(tx, work, failure)
        const result = failure === undefined ? `done in ${secondsOf(work, clock.now())} s` : `failed: ${failure}`
        await recordActivity(tx, {
          accountId: row.accountId,
          actor: row.actor,
          action: failure === undefined ? 'droplet.done' : 'droplet.failed',
          subject: toolbox.id,
          toolboxId: toolbox.id,
          message: `${toolbox.name}, ${titleOf(row.request)}: ${result}${placement ? `. ${words}` : left}`,
        })
      })
    },
  }

  async function placementOf(accountId: string, before: Placement, size: string): Promise<Placement> {
    const monthlyUsd = await priceOf(accountId, size)
    return { ...before, size, monthlyUsd: monthlyUsd ?? before.monthlyUsd }
  }

  /** What the status of the toolbox says from now on, until it reports. */
  async function showEnd(tx: Tx, { row, toolbox }: Pick<ActionWork, 'row' | 'toolbox'>, failure?: string) {
    const { kind } = row.request
    if (kind === 'resize') {
      const reason = failure === undefined ? 'Starts again, with its new size' : `Its resize failed: ${failure}`
      await moveTo(tx, toolbox.id, { to: 'unresponsive', reason, now: now(), from: ['resizing'] })
    }
    if (kind === 'power_off' && failure === undefined)
      await moveTo(tx, toolbox.id, { to: 'unresponsive', reason: poweredOff(toolbox), now: now(), from: ['active'] })
  }
}

/** The tag has done its work. @returns what people are told when it cannot be taken away. */
async function hideTag(client: DigitalOcean, tag: string, signal: AbortSignal): Promise<string> {
  try {
    await client.deleteTag(tag, signal)
    return ''
  } catch (error) {
    const final = error instanceof DigitalOceanError && error.kind !== 'unknown' && error.kind !== 'limited'
    if (!final) throw error
    return ` The tag ${tag.slice(0, 20)}… of the droplet is spent, and can be deleted at DigitalOcean (${error.message})`
  }
}

const WORDS = {
  reboot: 'Reboots',
  power_cycle: 'Is switched off and on',
  shutdown: 'Shuts down',
  power_off: 'Is switched off by force',
  power_on: 'Powers on',
  resize: 'Gets its new size',
  rebuild: 'Gets a fresh disk',
  snapshot: 'Its disk is copied; that may take minutes',
  reserve: 'An address is reserved',
  release: 'The address is released',
} as const satisfies Record<Asked, string>

/** @throws {DigitalOceanError} When there is none. */
function dropletOf({ toolbox }: Pick<ActionWork, 'toolbox'>): number {
  if (toolbox.doDropletId === null) throw new DigitalOceanError('refused', 'The toolbox has no droplet any more')
  return toolbox.doDropletId
}

function bodyOf(
  stage: Exclude<Asked, 'reserve' | 'release'>,
  { row, toolbox }: ActionWork,
  environment: string,
): ActionBody {
  const { request } = row
  switch (stage) {
    case 'resize':
      if (request.kind !== 'resize') throw new Error(`${request.kind} has no stage ${stage}`)
      return { type: stage, size: request.size, disk: false }
    case 'rebuild': {
      if (request.kind !== 'rebuild') throw new Error(`${request.kind} has no stage ${stage}`)
      const image = request.image ?? toolbox.placement?.image
      if (!image) throw new DigitalOceanError('refused', 'It is not known from which image the droplet was made')
      return { type: stage, image: imageOf(image) }
    }
    case 'snapshot':
      if (request.kind !== 'snapshot') throw new Error(`${request.kind} has no stage ${stage}`)
      return { type: stage, name: snapshotName(environment, toolbox.id, request.name) }
    default:
      return { type: stage }
  }
}

const secondsOf = ({ row }: Pick<ActionWork, 'row'>, now: number): number =>
  Math.max(0, Math.round((now - row.createdAt.getTime()) / 1_000))
