import * as z from 'zod'
import {
  Account,
  Action,
  type ActionBody,
  Droplet,
  Firewall,
  Image,
  type NewDroplet,
  type NewFirewall,
  Region,
  ReservedIp,
  Size,
  Snapshot,
} from './api.types.ts'
import { createCalls, type DigitalOceanDeps } from './calls.ts'

/** The calls of DigitalOcean's API that we use. There is none that deletes by tag. @throws {DigitalOceanError} */
export interface DigitalOcean {
  /** Whose token it is: uuid of the team, else of the account; `undefined` when it is not said. */
  teamId(signal: AbortSignal): Promise<string | undefined>
  regions(signal: AbortSignal): Promise<z.infer<typeof Region>[]>
  sizes(signal: AbortSignal): Promise<z.infer<typeof Size>[]>
  images(signal: AbortSignal): Promise<z.infer<typeof Image>[]>
  /** All of them: every page. */
  dropletsByTag(tag: string, signal: AbortSignal): Promise<Droplet[]>
  droplet(id: number, signal: AbortSignal): Promise<Droplet | undefined>
  /** Not repeatable: after `unknown`, look before asking again. */
  createDroplet(wanted: NewDroplet, signal: AbortSignal): Promise<Droplet>
  /** Succeeds when there is none of that id. */
  destroyDroplet(id: number, signal: AbortSignal): Promise<void>
  /** Not repeatable: after `unknown`, look before asking again. */
  act(dropletId: number, body: ActionBody, signal: AbortSignal): Promise<Action>
  /** What was done with the droplet. */
  actions(dropletId: number, signal: AbortSignal): Promise<Action[]>
  action(dropletId: number, actionId: number, signal: AbortSignal): Promise<Action | undefined>
  /** Of droplets. */
  snapshots(signal: AbortSignal): Promise<Snapshot[]>
  /** Succeeds when there is none of that id. */
  deleteSnapshot(id: string, signal: AbortSignal): Promise<void>
  reservedIps(signal: AbortSignal): Promise<ReservedIp[]>
  /** Reserves a new address, and lets it lead to the droplet. Not repeatable. */
  reserveIp(dropletId: number, signal: AbortSignal): Promise<string>
  /** Lets an address of ours lead to the droplet. Repeatable. */
  assignIp(ip: string, dropletId: number, signal: AbortSignal): Promise<void>
  /** Succeeds when it leads nowhere, or is not ours. */
  unassignIp(ip: string, signal: AbortSignal): Promise<void>
  /** Succeeds when it is not ours. */
  releaseIp(ip: string, signal: AbortSignal): Promise<void>
  ensureTag(name: string, signal: AbortSignal): Promise<void>
  /** Repeatable. The tag must exist. */
  tagDroplet(name: string, dropletId: number, signal: AbortSignal): Promise<void>
  /** Succeeds when it has no such tag. */
  untagDroplet(name: string, dropletId: number, signal: AbortSignal): Promise<void>
  /** The tag itself, not what has it. Succeeds when there is none of that name. */
  deleteTag(name: string, signal: AbortSignal): Promise<void>
  firewalls(signal: AbortSignal): Promise<Firewall[]>
  createFirewall(wanted: NewFirewall, signal: AbortSignal): Promise<void>
  replaceFirewall(id: string, wanted: NewFirewall, signal: AbortSignal): Promise<void>
  /** Sends a request that can do nothing, to learn whether the token may send it. */
  mayCall(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, signal: AbortSignal): Promise<boolean>
}

export function createDigitalOcean(deps: DigitalOceanDeps): DigitalOcean {
  const { call, all, find, expect, mayCall } = createCalls(deps)
  return {
    teamId: async (signal) => {
      const { account } = await call('GET', '/account', z.object({ account: Account }), signal)
      return account.team?.uuid ?? account.uuid
    },
    regions: (signal) => all('/regions', 'regions', Region, signal),
    sizes: (signal) => all('/sizes', 'sizes', Size, signal),
    images: (signal) => all('/images?type=distribution', 'images', Image, signal),
    dropletsByTag: (tag, signal) => all(`/droplets?tag_name=${encodeURIComponent(tag)}`, 'droplets', Droplet, signal),
    droplet: async (id, signal) => (await find(`/droplets/${id}`, z.object({ droplet: Droplet }), signal))?.droplet,
    createDroplet: async (wanted, signal) =>
      (await call('POST', '/droplets', z.object({ droplet: Droplet }), signal, wanted)).droplet,
    destroyDroplet: (id, signal) => expect('DELETE', `/droplets/${id}`, [204, 404], signal),
    act: async (id, body, signal) =>
      (await call('POST', `/droplets/${id}/actions`, z.object({ action: Action }), signal, body)).action,
    actions: (id, signal) => all(`/droplets/${id}/actions`, 'actions', Action, signal),
    action: async (id, actionId, signal) =>
      (await find(`/droplets/${id}/actions/${actionId}`, z.object({ action: Action }), signal))?.action,
    snapshots: (signal) => all('/snapshots?resource_type=droplet', 'snapshots', Snapshot, signal),
    deleteSnapshot: (id, signal) => expect('DELETE', `/snapshots/${id}`, [204, 404], signal),
    reservedIps: (signal) => all('/reserved_ips', 'reserved_ips', ReservedIp, signal),
    reserveIp: async (dropletId, signal) => {
      const Reserved = z.object({ reserved_ip: z.object({ ip: z.ipv4() }) })
      return (await call('POST', '/reserved_ips', Reserved, signal, { droplet_id: dropletId })).reserved_ip.ip
    },
    // 422: it leads nowhere already.
    assignIp: (ip, dropletId, signal) =>
      expect('POST', `/reserved_ips/${ip}/actions`, [201], signal, { type: 'assign', droplet_id: dropletId }),
    unassignIp: (ip, signal) =>
      expect('POST', `/reserved_ips/${ip}/actions`, [201, 404, 422], signal, { type: 'unassign' }),
    releaseIp: (ip, signal) => expect('DELETE', `/reserved_ips/${ip}`, [204, 404], signal),
    // 422: there is one of that name already.
    ensureTag: (name, signal) => expect('POST', '/tags', [201, 422], signal, { name }),
    tagDroplet: (name, id, signal) =>
      expect('POST', `/tags/${encodeURIComponent(name)}/resources`, [204], signal, {
        resources: [{ resource_id: String(id), resource_type: 'droplet' }],
      }),
    // 404: there is no such tag, or no such droplet.
    untagDroplet: (name, id, signal) =>
      expect('DELETE', `/tags/${encodeURIComponent(name)}/resources`, [204, 404], signal, {
        resources: [{ resource_id: String(id), resource_type: 'droplet' }],
      }),
    deleteTag: (name, signal) => expect('DELETE', `/tags/${encodeURIComponent(name)}`, [204, 404], signal),
    firewalls: (signal) => all('/firewalls', 'firewalls', Firewall, signal),
    // 409: made meanwhile by another replica.
    createFirewall: (wanted, signal) => expect('POST', '/firewalls', [202, 409], signal, wanted),
    replaceFirewall: (id, wanted, signal) =>
      expect('PUT', `/firewalls/${encodeURIComponent(id)}`, [200], signal, wanted),
    mayCall,
  }
}
