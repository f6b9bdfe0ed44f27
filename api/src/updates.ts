import * as z from 'zod'
import { ToolboxId } from './fields.ts'
import { defineUserOperation } from './operation.ts'
import { Direct, Host, Toolbox } from './toolboxes.ts'

export const updateToolbox = defineUserOperation({
  id: 'updateToolbox',
  summary: 'Ask for DTMA of this toolbox to be replaced by the newest version; tools run on meanwhile',
  method: 'POST',
  path: '/api/toolboxes/:toolboxId/update',
  auth: 'operator',
  status: 202,
  params: z.object({ toolboxId: ToolboxId }),
  reply: Toolbox,
  problems: ['toolbox-not-found', 'toolbox-busy', 'nothing-to-update', 'image-unavailable'],
})

export const redeployToolbox = defineUserOperation({
  id: 'redeployToolbox',
  summary:
    'Ask for DTMA of this toolbox to be deployed anew, at the version that the control plane gives out; identity and tools stay',
  method: 'POST',
  path: '/api/toolboxes/:toolboxId/redeploy',
  auth: 'operator',
  status: 202,
  params: z.object({ toolboxId: ToolboxId }),
  reply: Toolbox,
  problems: ['toolbox-not-found', 'toolbox-busy', 'not-redeployable', 'image-unavailable'],
})

export const rotateToolboxKeys = defineUserOperation({
  id: 'rotateToolboxKeys',
  summary:
    'Ask for other keys of this toolbox: DTMA enrols anew with a fresh one, and the ones before open nothing any more',
  method: 'POST',
  path: '/api/toolboxes/:toolboxId/rotate-keys',
  auth: 'operator',
  status: 202,
  params: z.object({ toolboxId: ToolboxId }),
  reply: Toolbox,
  problems: ['toolbox-not-found', 'no-keys', 'toolbox-busy'],
})

/** The road that a toolbox is to have. */
export const RoadWanted = z.discriminatedUnion('road', [
  z.strictObject({ road: z.literal('tunnel') }),
  z.strictObject({
    road: z.literal('direct'),
    address: Host.optional().describe('Where it is dialled. Absent: its host over SSH, or that of its droplet.'),
    port: Direct.shape.port.unwrap().optional().describe("Absent: DTMA's own port."),
  }),
])
export type RoadWanted = z.infer<typeof RoadWanted>

export const changeToolboxRoad = defineUserOperation({
  id: 'changeToolboxRoad',
  summary:
    'Ask for another road to this toolbox: the new one is tried beside the one that there is, which is closed when the new one is proven',
  method: 'POST',
  path: '/api/toolboxes/:toolboxId/change-road',
  auth: 'operator',
  status: 202,
  params: z.object({ toolboxId: ToolboxId }),
  body: RoadWanted,
  reply: Toolbox,
  problems: ['toolbox-not-found', 'toolbox-not-active', 'toolbox-busy', 'road-unchanged', 'direct-not-possible'],
})
