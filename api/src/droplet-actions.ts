import * as z from 'zod'
import { Name, Page, pageOf, Slug, SnapshotId, Timestamp, ToolboxId } from './fields.ts'
import { defineUserOperation } from './operation.ts'

/** What can be done with a droplet that there is. */
export const DropletActionKind = z.enum([
  'reboot', // in order; its processes are told
  'power_cycle', // off and on, as by the plug
  'power_off', // in order, and by force when it takes too long; it costs as much as before
  'power_on',
  'resize', // other CPU and memory; its disk stays, it is off meanwhile
  'rebuild', // a fresh disk on the same droplet; all that was on it is gone
  'snapshot', // a copy of its disk
  'assign_reserved_ip', // an address that stays when the droplet is another
  'release_reserved_ip',
])
export type DropletActionKind = z.infer<typeof DropletActionKind>

export const NewDropletAction = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('reboot') }),
  z.strictObject({ kind: z.literal('power_cycle') }),
  z.strictObject({ kind: z.literal('power_off') }),
  z.strictObject({ kind: z.literal('power_on') }),
  z.strictObject({ kind: z.literal('resize'), size: Slug }),
  z.strictObject({
    kind: z.literal('rebuild'),
    image: Slug.optional().describe('Absent: the image it was made from.'),
    confirm: Name.describe('Name of the toolbox: everything on its disk will be gone.'),
  }),
  z.strictObject({ kind: z.literal('snapshot'), name: Name }),
  z.strictObject({ kind: z.literal('assign_reserved_ip') }),
  z.strictObject({ kind: z.literal('release_reserved_ip') }),
])
export type NewDropletAction = z.infer<typeof NewDropletAction>

export const DropletActionState = z.enum(['asked', 'running', 'done', 'failed'])
export type DropletActionState = z.infer<typeof DropletActionState>

export const DropletAction = z.object({
  id: z.string(),
  toolboxId: ToolboxId,
  kind: DropletActionKind,
  /** With its particulars: `resize to s-2vcpu-4gb`. */
  title: z.string(),
  state: DropletActionState,
  /** What it does now, or how it ended. */
  message: z.string().optional(),
  actor: z.string(),
  askedAt: Timestamp,
  endedAt: Timestamp.optional(),
})
export type DropletAction = z.infer<typeof DropletAction>

const one = z.object({ toolboxId: ToolboxId })

export const startDropletAction = defineUserOperation({
  id: 'startDropletAction',
  summary: 'Ask for something to be done with the droplet of a toolbox; one at a time',
  method: 'POST',
  path: '/api/toolboxes/:toolboxId/droplet-actions',
  auth: 'operator',
  status: 202,
  params: one,
  body: NewDropletAction,
  reply: DropletAction,
  problems: [
    'toolbox-not-found',
    'no-droplet',
    'droplet-busy',
    'toolbox-busy',
    'not-confirmed',
    'name-taken',
    'idempotency-key-reused',
    'provider-not-configured',
    'provider-refused',
    'provider-unavailable',
  ],
})

export const listDropletActions = defineUserOperation({
  id: 'listDropletActions',
  summary: 'List what was asked of the droplet of a toolbox, newest first',
  method: 'GET',
  path: '/api/toolboxes/:toolboxId/droplet-actions',
  auth: 'viewer',
  status: 200,
  params: one,
  query: Page,
  reply: pageOf(DropletAction),
  problems: ['toolbox-not-found'],
})

/** List prices of DigitalOcean, USD; looked up on 2026-11-27. */
export const SNAPSHOT_USD_PER_GB_MONTH = 0.06
/** While it leads nowhere; assigned to a droplet it is free. */
export const IDLE_RESERVED_IP_USD_PER_MONTH = 5

/** A copy of a droplet's disk that this control plane made. It stays, and costs, when the toolbox is gone. */
export const Snapshot = z.object({
  id: SnapshotId,
  name: Name,
  /** Of whose droplet; it may be deprovisioned since. */
  toolboxId: ToolboxId,
  toolboxName: z.string(),
  sizeGb: z.number(),
  /** The least disk that a droplet made from it needs. */
  minDiskGb: z.number(),
  monthlyUsd: z.number(),
  /** Slugs of the regions that have it. */
  regions: z.array(z.string()),
  createdAt: Timestamp,
})
export type Snapshot = z.infer<typeof Snapshot>

const SNAPSHOTS = '/api/providers/digitalocean/snapshots'

export const listSnapshots = defineUserOperation({
  id: 'listSnapshots',
  summary: 'List the snapshots that this control plane made, with what they cost',
  method: 'GET',
  path: SNAPSHOTS,
  auth: 'viewer',
  status: 200,
  reply: z.object({ items: z.array(Snapshot) }),
  problems: ['provider-not-configured', 'provider-refused', 'provider-unavailable'],
})

export const removeSnapshot = defineUserOperation({
  id: 'removeSnapshot',
  summary: 'Delete a snapshot; succeeds when it is gone already',
  method: 'DELETE',
  path: `${SNAPSHOTS}/:snapshotId`,
  auth: 'operator',
  status: 204,
  params: z.object({ snapshotId: SnapshotId }),
  problems: ['snapshot-not-ours', 'provider-not-configured', 'provider-refused', 'provider-unavailable'],
})
