import * as z from 'zod/mini'
import { defineOperation } from './operation.ts'
import { ToolName, ToolReason, ToolSpec, ToolState } from './tool.ts'

/** Several tools that are deployed together: in the order that they need each other, and all of them or none. */
export const GroupRequest = z.strictObject({
  id: ToolName,
  tools: z
    .array(
      z.strictObject({
        name: ToolName,
        generation: z.int().check(z.minimum(1)),
        spec: ToolSpec,
        /** Tools of the group that must be ready before this one is begun. */
        after: z._default(z.array(ToolName).check(z.maxLength(32)), []),
      }),
    )
    .check(z.minLength(1), z.maxLength(32)),
})
export type GroupRequest = z.infer<typeof GroupRequest>

export const GroupState = z.enum(['deploying', 'ready', 'undoing', 'failed', 'removing'])
export type GroupState = z.infer<typeof GroupState>

/** Which tool did not become ready, and why. */
export const GroupFailure = z.object({ tool: ToolName, reason: z.optional(ToolReason), message: z.string() })
export type GroupFailure = z.infer<typeof GroupFailure>

export const GroupStatus = z.object({
  id: ToolName,
  /** `failed`: a tool did not become ready, and those that were begun are gone again. */
  state: GroupState,
  /** When `state` began, by the toolbox's clock. */
  since: z.iso.datetime(),
  /** Of `undoing` and `failed`. */
  failure: z.optional(GroupFailure),
  /** In the order in which they are begun; `waiting`: for the ones before. */
  tools: z.array(z.object({ name: ToolName, state: z.union([ToolState, z.literal('waiting')]) })),
})
export type GroupStatus = z.infer<typeof GroupStatus>

const one = z.object({ id: ToolName })

export const createGroup = defineOperation({
  id: 'createGroup',
  summary: 'Deploy several tools in the order of their needs, all or none; the same request again changes nothing',
  method: 'POST',
  path: '/groups',
  auth: 'toolbox',
  status: 202,
  body: GroupRequest,
  reply: GroupStatus,
  problems: ['group-exists', 'tool-exists', 'too-busy'],
})

export const listGroups = defineOperation({
  id: 'listGroups',
  summary: 'List the groups',
  method: 'GET',
  path: '/groups',
  auth: 'toolbox',
  status: 200,
  reply: z.object({ groups: z.array(GroupStatus) }),
  problems: [],
})

export const getGroup = defineOperation({
  id: 'getGroup',
  summary: 'Read one group',
  method: 'GET',
  path: '/groups/:id',
  auth: 'toolbox',
  status: 200,
  params: one,
  reply: GroupStatus,
  problems: ['group-not-found'],
})

export const deleteGroup = defineOperation({
  id: 'deleteGroup',
  summary: 'Remove a group and its tools, in the reverse order; succeeds when it is gone already',
  method: 'DELETE',
  path: '/groups/:id',
  auth: 'toolbox',
  status: 204,
  params: one,
  problems: ['too-busy'],
})
