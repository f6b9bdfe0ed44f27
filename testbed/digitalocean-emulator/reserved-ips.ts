import * as z from 'zod'
import { actionView, begin } from './actions.ts'
import { notFound, unprocessable } from './api-error.ts'
import { REGIONS } from './catalogue.ts'
import { dropletOf, parse, viewOf } from './droplets.ts'
import { isBusy, type World } from './world.ts'

const Reservation = z.strictObject({ droplet_id: z.int() })
const Change = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('unassign') }),
  z.strictObject({ type: z.literal('assign'), droplet_id: z.int() }),
])
const PROJECT = '4e1bfbc3-dc3e-41f2-a18f-1b4d7ba71679'

/** The address as the API shows it. */
export function reservedIpView(world: World, ip: string) {
  const leadsTo = world.reservedIps.get(ip)
  const droplet = leadsTo === undefined ? undefined : world.droplets.get(leadsTo)
  const region = REGIONS.find(({ slug }) => slug === droplet?.region) ?? REGIONS[0]
  return { ip, region, droplet: droplet ? viewOf(world, droplet) : null, locked: false, project_id: PROJECT }
}

/** Addresses are of the second range for documentation. @returns the new one. */
export function reserveIp(world: World, body: unknown): string {
  const { id } = dropletOf(world, String(parse(Reservation, body).droplet_id))
  if ([...world.reservedIps.values()].includes(id)) throw unprocessable('The Droplet already has a reserved IP.')
  const ip = `198.51.100.${1 + (world.nextId % 254)}`
  begin(world, id, 'assign_ip').completedAt = world.now()
  world.reservedIps.set(ip, id)
  return ip
}

export function changeReservedIp(world: World, ip: string, body: unknown) {
  if (!world.reservedIps.has(ip)) throw notFound()
  const change = parse(Change, body)
  const before = world.reservedIps.get(ip)
  if (change.type === 'unassign' && before === undefined) throw unprocessable('The reserved IP is not assigned.')
  if (change.type === 'assign') requireFree(world, ip, change.droplet_id)
  world.reservedIps.set(ip, change.type === 'assign' ? change.droplet_id : undefined)
  const action = begin(world, change.type === 'assign' ? change.droplet_id : (before ?? 0), `${change.type}_ip`)
  action.completedAt = world.now()
  return { ...actionView(world, action), project_id: PROJECT }
}

/** @throws {ApiError} Unless the droplet can be given the address. */
function requireFree(world: World, ip: string, dropletId: number): void {
  const { id } = dropletOf(world, String(dropletId))
  if (isBusy(world, id)) throw unprocessable('Droplet already has a pending event.')
  if ([...world.reservedIps].some(([other, leadsTo]) => other !== ip && leadsTo === id))
    throw unprocessable('The Droplet already has a reserved IP.')
}

export function releaseIp(world: World, ip: string): void {
  if (world.reservedIps.get(ip) !== undefined) throw unprocessable('The reserved IP is still assigned to a Droplet.')
  if (!world.reservedIps.delete(ip)) throw notFound()
}
