import { ToolReason, ToolState } from '@agentopia/dtma/contract'
import * as z from 'zod'
import { GroupId, InstanceId, Name, Page, pageOf, Timestamp, ToolboxId, ToolId } from './fields.ts'
import { ConfigValues } from './instances.ts'
import { defineUserOperation } from './operation.ts'

const NewMember = z.strictObject({
  toolId: ToolId,
  name: Name.describe('What the tool instance is called on its toolbox.'),
  config: ConfigValues.default({}),
  dependsOn: z
    .array(Name)
    .max(32)
    .default([])
    .describe(
      'Names of members, or of tools that are on the toolbox already: they are ready before this one is begun.',
    ),
})

/** Several tools that are deployed together: in the order that they need each other, and all of them or none. */
export const NewGroup = z.strictObject({ name: Name, members: z.array(NewMember).min(1).max(32) })

const GroupMember = z.object({
  name: Name,
  toolId: ToolId,
  dependsOn: z.array(Name),
  /** Absent when it is not there: it was taken back. */
  instanceId: InstanceId.optional(),
  /** `waiting`: for those that it depends on. */
  state: z.union([ToolState, z.literal('waiting')]),
  reason: z.optional(ToolReason),
  message: z.string().optional(),
})
export type GroupMember = z.infer<typeof GroupMember>

export const ToolGroup = z.object({
  id: GroupId,
  toolboxId: ToolboxId,
  name: Name.describe('Unique among the groups of its toolbox.'),
  /** `failed`: a member did not become ready, and those that were begun are gone again. */
  state: z.enum(['deploying', 'ready', 'undoing', 'failed', 'removing']),
  since: Timestamp,
  /** Which member did not become ready, and why. Of `undoing` and `failed`. */
  failure: z.object({ member: Name, reason: z.optional(ToolReason), message: z.string() }).optional(),
  /** In the order in which they are begun. */
  members: z.array(GroupMember),
  createdAt: Timestamp,
})
export type ToolGroup = z.infer<typeof ToolGroup>

const onToolbox = z.object({ toolboxId: ToolboxId })
const one = z.object({ toolboxId: ToolboxId, groupId: GroupId })
const base = '/api/toolboxes/:toolboxId/groups'

export const listGroups = defineUserOperation({
  id: 'listGroups',
  summary: 'List the groups of a toolbox',
  method: 'GET',
  path: base,
  auth: 'viewer',
  status: 200,
  params: onToolbox,
  query: Page,
  reply: pageOf(ToolGroup),
  problems: ['toolbox-not-found'],
})

export const createGroup = defineUserOperation({
  id: 'createGroup',
  summary: 'Deploy several tools in the order of their needs, all or none; a failed group of that name gives way',
  method: 'POST',
  path: base,
  auth: 'operator',
  status: 202,
  params: onToolbox,
  body: NewGroup,
  reply: ToolGroup,
  problems: [
    'toolbox-not-found',
    'tool-not-found',
    'name-taken',
    'invalid-group',
    'invalid-config',
    'idempotency-key-reused',
  ],
})

export const getGroup = defineUserOperation({
  id: 'getGroup',
  summary: 'Read one group',
  method: 'GET',
  path: `${base}/:groupId`,
  auth: 'viewer',
  status: 200,
  params: one,
  reply: ToolGroup,
  problems: ['group-not-found'],
})

export const removeGroup = defineUserOperation({
  id: 'removeGroup',
  summary: 'Remove a group: its tools with what they keep, in the reverse order',
  method: 'DELETE',
  path: `${base}/:groupId`,
  auth: 'operator',
  status: 202,
  params: one,
  query: z.object({ force: z.stringbool().default(false).describe('Also takes its tools out of every toolbelt.') }),
  reply: ToolGroup,
  problems: ['group-not-found', 'instance-in-use'],
})
