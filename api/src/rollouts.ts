import * as z from 'zod'
import { RolloutId, ToolboxId } from './fields.ts'
import { defineUserOperation } from './operation.ts'

export const RolloutState = z.enum([
  'running',
  /** Too many of the toolboxes that it reached are not well: it goes on when somebody says so. */
  'halted',
  'done',
  'given_up',
])
export type RolloutState = z.infer<typeof RolloutState>

/** A newer version of DTMA, brought to every toolbox of the account in waves: one, then a tenth, then the rest. */
export const Rollout = z.object({
  id: RolloutId,
  state: RolloutState,
  /** Which version it brings; of those for containers and those for services the later. */
  version: z.string(),
  /** Why it was halted. */
  reason: z.string().optional(),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().optional(),
  counts: z.object({
    updated: z.int(),
    underWay: z.int(),
    /** They fell back, failed, or are not heard since. */
    unwell: z.int(),
    /** Their turn comes. */
    waiting: z.int(),
    /** They have an older version and are not heard now: a later rollout reaches them. */
    away: z.int(),
  }),
  /** Those that are not well, with why. */
  unwell: z.array(z.object({ toolboxId: ToolboxId, name: z.string(), reason: z.string() })),
})
export type Rollout = z.infer<typeof Rollout>

export const startRollout = defineUserOperation({
  id: 'startRollout',
  summary:
    'Bring the newest version of DTMA to every toolbox that has an older one, in waves; answers the one at work if there is one',
  method: 'POST',
  path: '/api/rollouts',
  auth: 'operator',
  status: 202,
  reply: Rollout,
  problems: ['nothing-to-update', 'image-unavailable'],
})

export const listRollouts = defineUserOperation({
  id: 'listRollouts',
  summary: 'The last rollouts of DTMA, newest first',
  method: 'GET',
  path: '/api/rollouts',
  auth: 'viewer',
  status: 200,
  reply: z.object({ items: z.array(Rollout) }),
  problems: [],
})

const params = z.object({ rolloutId: RolloutId })

export const resumeRollout = defineUserOperation({
  id: 'resumeRollout',
  summary: 'Let a halted rollout go on; those that are not well now are left alone and no longer counted',
  method: 'POST',
  path: '/api/rollouts/:rolloutId/resume',
  auth: 'operator',
  status: 200,
  params,
  reply: Rollout,
  problems: ['rollout-not-found', 'rollout-over'],
})

export const giveUpRollout = defineUserOperation({
  id: 'giveUpRollout',
  summary: 'Give a rollout up: what has not begun does not begin; what has is carried to its end',
  method: 'POST',
  path: '/api/rollouts/:rolloutId/give-up',
  auth: 'operator',
  status: 200,
  params,
  reply: Rollout,
  problems: ['rollout-not-found', 'rollout-over'],
})
