import * as z from 'zod'
import { ToolboxId } from './fields.ts'
import { defineUserOperation } from './operation.ts'
import { Toolbox } from './toolboxes.ts'

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
