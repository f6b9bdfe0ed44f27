import * as z from 'zod'
import { ToolboxId } from './fields.ts'
import { defineUserOperation } from './operation.ts'
import { Toolbox } from './toolboxes.ts'

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
