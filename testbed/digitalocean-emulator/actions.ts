import * as z from 'zod'
import { notFound, unprocessable } from './api-error.ts'
import { REGIONS, SIZES } from './catalogue.ts'
import { findImage, isoOf, parse } from './droplets.ts'
import { type EmulatedAction, type EmulatedDroplet, isBusy, type World } from './world.ts'

const Request = z.discriminatedUnion('type', [
  z.strictObject({ type: z.enum(['power_on', 'power_off', 'shutdown', 'reboot', 'power_cycle']) }),
  z.strictObject({ type: z.literal('resize'), size: z.string(), disk: z.boolean().optional() }),
  z.strictObject({ type: z.literal('rebuild'), image: z.union([z.string(), z.int()]) }),
  z.strictObject({ type: z.literal('snapshot'), name: z.string().min(1) }),
])
type Request = z.infer<typeof Request>

/** Begins what is asked for. @throws {ApiError} */
export function act(world: World, droplet: EmulatedDroplet, body: unknown): EmulatedAction {
  const request = parse(Request, body)
  if (isBusy(world, droplet.id)) throw unprocessable('Droplet already has a pending event.')
  const effect = effectOf(world, droplet, request)
  const action = begin(world, droplet.id, request.type)
  const fails = world.knobs.failingActions > 0
  if (fails) world.knobs.failingActions -= 1
  if (fails) Object.assign(action, { errored: true, completedAt: action.startedAt + world.knobs.actionMs })
  else if (world.machines.instant)
    Object.assign(action, { effect: effect.record, completedAt: action.startedAt + world.knobs.actionMs })
  else
    effect.machine().then(
      () => {
        effect.record()
        action.completedAt = world.now()
      },
      (error: unknown) => {
        console.error(`${request.type} of the droplet ${droplet.id} fails:`, error)
        Object.assign(action, { errored: true, completedAt: world.now() })
      },
    )
  return action
}

/** An action of anything; it is under way. */
export function begin(world: World, dropletId: number, type: string): EmulatedAction {
  const action: EmulatedAction = {
    id: world.nextId,
    dropletId,
    type,
    startedAt: world.now(),
    completedAt: Number.POSITIVE_INFINITY,
    errored: false,
  }
  world.nextId += 1
  world.actions.push(action)
  return action
}

/** What becomes of the machine, and of what the API says. */
interface Effect {
  readonly machine: () => Promise<void>
  readonly record: () => void
}

function effectOf(world: World, droplet: EmulatedDroplet, request: Request): Effect {
  const { machines } = world
  switch (request.type) {
    case 'resize': {
      const size = SIZES.find(({ slug }) => slug === request.size)
      if (!size) throw unprocessable('You specified an invalid size.')
      if (!droplet.off) throw unprocessable('The Droplet must be powered off.')
      if (size.disk < SIZES.find(({ slug }) => slug === droplet.size)!.disk)
        throw unprocessable('This size is not available because it has a smaller disk.')
      return {
        machine: () => machines.resize(droplet, size.slug),
        record: () => {
          droplet.size = size.slug
        },
      }
    }
    case 'rebuild': {
      const image = findImage(world, request.image)
      if (!image) throw unprocessable('You specified an invalid image.')
      const record = () => {
        droplet.image = image.slug ?? String(image.id)
        droplet.off = false
        // It boots once more: for a while it is new again, and has no address.
        if (machines.instant) droplet.activeAt = world.now() + world.knobs.bootMs
      }
      return {
        machine: async () => {
          record()
          await machines.remove(droplet)
          await machines.start(droplet)
        },
        record,
      }
    }
    case 'snapshot': {
      const id = String(world.nextId + 100_000)
      const { region, size } = droplet
      const { disk } = SIZES.find(({ slug }) => slug === size)!
      return {
        machine: () => machines.snapshot(droplet, id),
        record: () => {
          const facts = { id, name: request.name, dropletId: droplet.id, region, disk, createdAt: world.now() }
          world.snapshots.set(id, facts)
        },
      }
    }
    default: {
      const what =
        request.type === 'power_on'
          ? 'on'
          : request.type === 'reboot' || request.type === 'power_cycle'
            ? 'reboot'
            : 'off'
      return {
        machine: () => machines.power(droplet, what),
        record: () => {
          droplet.off = what === 'off'
        },
      }
    }
  }
}

/** Lets happen whose time has come: for droplets that are only records. */
export function settleActions(world: World): void {
  for (const action of world.actions)
    if (action.effect && action.completedAt <= world.now()) {
      action.effect()
      action.effect = undefined
    }
}

/** Newest first; a new one may be missing at first. */
export const actionsOf = (world: World, dropletId: number): EmulatedAction[] =>
  world.actions
    .filter((one) => one.dropletId === dropletId && one.startedAt + world.knobs.listLagMs <= world.now())
    .toReversed()

export function actionOf(world: World, dropletId: number, id: string): EmulatedAction {
  const found = world.actions.find((one) => one.dropletId === dropletId && String(one.id) === id)
  if (!found) throw notFound()
  return found
}

/** The action as the API shows it. */
export function actionView(world: World, action: EmulatedAction) {
  const { id, type, startedAt, completedAt, errored, dropletId } = action
  const over = completedAt <= world.now()
  const region = REGIONS.find(({ slug }) => slug === world.droplets.get(dropletId)?.region) ?? REGIONS[0]
  return {
    id,
    status: over ? (errored ? 'errored' : 'completed') : 'in-progress',
    type,
    started_at: isoOf(startedAt),
    completed_at: over ? isoOf(completedAt) : null,
    resource_id: dropletId,
    resource_type: 'droplet',
    region,
    region_slug: region?.slug ?? null,
  }
}
