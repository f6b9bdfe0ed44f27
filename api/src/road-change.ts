import * as z from 'zod'
import { ToolboxId } from './fields.ts'
import { defineUserOperation } from './operation.ts'
import { Direct, Host, Toolbox } from './toolboxes.ts'

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
