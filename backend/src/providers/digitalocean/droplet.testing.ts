import type { NewDropletAction } from '@agentopia/api'
import { createEmulator } from '@agentopia/testbed/emulator'
import { eq } from 'drizzle-orm'
import { newId } from '../../new-id.ts'
import type { ManualClock } from '../../reconcile/manual-clock.testing.ts'
import type { Outcome } from '../../reconcile/reconciler.ts'
import type { Store } from '../../store/connect.ts'
import { toolboxes } from '../../store/schema/index.ts'
import type { ToolboxRow } from '../../toolboxes/toolbox.store.ts'
import { applyToolReports } from '../../tools/instance.report.ts'
import { beatOf, insertToolbox, newKey, openUplink } from '../../uplink/uplink.testing.ts'
import { actionReconciler } from './action.reconciler.ts'
import { findAction, insertAction } from './action.store.ts'
import { createBudget } from './budget.ts'
import { createDigitalOcean } from './client.ts'
import { createDropletDoor } from './droplet.door.ts'
import { dropletReconciler } from './droplet.reconciler.ts'
import { dropletSweep } from './droplet.sweep.ts'
import { environmentTag, PRODUCT_TAG, toolboxTag } from './droplet-names.ts'

export const ENVIRONMENT = 'abcdef012345'
const PLACEMENT = { region: 'nyc3', size: 's-1vcpu-1gb', image: 'debian-12-x64', monthlyUsd: 6 } as const
const ORIGIN = 'http://control-plane.example:3000'

/** An account with a toolbox that is asked for, an emulated DigitalOcean, and time that stands still. */
export async function dropletScene(store: Store, over: Partial<typeof toolboxes.$inferInsert> = {}) {
  const accountId = `account_${newId('act').slice(4)}`
  const uplink = openUplink(store, applyToolReports)
  const { clock } = uplink
  // Nobody sets the clock of DigitalOcean.
  const start = clock.now() - clock.steady()
  const emulator = createEmulator({ now: () => start + clock.steady(), knobs: { bootMs: 5_000 } })
  const budget = createBudget(clock.steady)
  const { token } = emulator.world
  const client = createDigitalOcean({ baseUrl: 'http://digitalocean', token, budget, fetch: emulator.fetch })
  const { id } = await insertToolbox(store, {
    accountId,
    provider: 'digitalocean',
    status: 'pending_provision',
    placement: PLACEMENT,
    ...over,
  })
  const disconnected: string[] = []
  const sources = ['198.51.100.7']
  const common = { store, clock, clientOf: async () => client, environment: ENVIRONMENT }
  const door = createDropletDoor({ ...common, directSources: () => sources })
  const make = (owner = 'replica') =>
    dropletReconciler({
      ...common,
      publicUrl: ORIGIN,
      owner,
      directSources: () => sources,
      disconnect: (one) => void disconnected.push(one),
    })
  let isRecovering = false
  const sweep = dropletSweep({
    ...common,
    accountsWithToken: async () => [accountId],
    directSources: () => sources,
    isRecovering: () => isRecovering,
  })
  const row = () => uplink.row(id)
  const act = (owner = 'replica') =>
    actionReconciler({
      ...common,
      random: () => 0.5,
      owner,
      disconnect: (one) => void disconnected.push(one),
      door,
      wake: () => {},
      priceOf: async (_, size) => (size === 's-1vcpu-2gb' ? 12 : undefined),
    })

  return {
    accountId,
    id,
    clock,
    uplink,
    emulator,
    client,
    disconnected,
    door,
    /** From where the control plane dials. */
    sources,
    make,
    row,
    /** One step of the reconciler. */
    step: (reconciler = make()) => reconciler.reconcile(id, AbortSignal.timeout(20_000)),
    /** As the loop does: step after step, waiting as long as each says, until it is settled, or so many milliseconds have passed. */
    run: (ms: number, toolboxId = id, reconciler = make()) =>
      runFor(clock, ms, () => reconciler.reconcile(toolboxId, AbortSignal.timeout(20_000))),
    /** Writes down what somebody asks for. @returns the id. */
    ask: async (request: NewDropletAction) =>
      (
        await store.system((tx) =>
          insertAction(tx, { id: newId('deed'), accountId, toolboxId: id, request, actor: 'ann' }),
        )
      ).id,
    action: async (actionId: string) => (await store.system((tx) => findAction(tx, actionId)))!,
    /** One step of an action. */
    actOn: (actionId: string, reconciler = act()) => reconciler.reconcile(actionId, AbortSignal.timeout(20_000)),
    /** As the loop does, until the action has ended. */
    runAction: (actionId: string, ms: number) =>
      runFor(clock, ms, () => act().reconcile(actionId, AbortSignal.timeout(20_000))),
    /** The database was restored from a copy, or people have looked at it. */
    recovering: (now: boolean) => {
      isRecovering = now
    },
    sweep: () => sweep.reconcile(accountId, AbortSignal.timeout(20_000)),
    droplets: () => [...emulator.world.droplets.values()],
    creates: () => emulator.world.calls.filter((call) => call === 'POST /v2/droplets').length,
    /** The token as the droplet finds it in its user-data. */
    tokenInside: () => /TOKEN='(enrol_[\w-]+)'/.exec([...emulator.world.droplets.values()][0]!.userData)![1]!,
    /** A droplet that is enrolled, and active. */
    async upAndActive() {
      await this.run(8_000)
      const enrolled = await this.enrol(this.tokenInside())
      const bearer = enrolled.json.dtmaBearerToken!
      await uplink.beat(bearer, beatOf('first', 1))
      await this.run(1_000)
      return { bearer, dropletId: (await row()).doDropletId!, droplet: this.droplets()[0]! }
    },
    async enrol(token: string) {
      return uplink.enrol(newKey()(id, token))
    },
    /** A droplet at DigitalOcean that this control plane did not ask for. */
    foreign: (tags: readonly string[]) =>
      client.createDroplet({ ...dropletOf('foreign'), tags }, AbortSignal.timeout(5_000)),
    ownTags: (toolboxId = id) => [PRODUCT_TAG, environmentTag(ENVIRONMENT), toolboxTag(toolboxId)],
    change: (columns: Partial<ToolboxRow>) =>
      store.system((tx) => tx.update(toolboxes).set(columns).where(eq(toolboxes.id, id)).returning()),
  }
}

const dropletOf = (name: string) =>
  ({
    name,
    region: PLACEMENT.region,
    size: PLACEMENT.size,
    image: PLACEMENT.image,
    user_data: '',
    monitoring: false,
    backups: false,
    ipv6: false,
  }) as const

async function runFor(clock: ManualClock, ms: number, step: () => Promise<Outcome>): Promise<void> {
  const end = clock.steady() + ms
  let failures = 0
  while (clock.steady() <= end) {
    let wait: number
    try {
      const outcome = await step()
      if (outcome.done) return
      wait = outcome.retryAfterMs
      failures = 0
    } catch {
      failures += 1
      wait = Math.min(60_000, 1_000 * 2 ** failures) // the loop's back-off
    }
    await clock.advance(Math.max(wait, 1))
  }
}
