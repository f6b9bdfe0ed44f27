import * as z from 'zod'
import { Page, pageOf, Timestamp } from './fields.ts'
import { defineUserOperation } from './operation.ts'
import { InstallVariant } from './toolboxes.ts'

/** Something changed: read it again. A hint; a client that missed some reads everything after it reconnects. */
export const ChangeHint = z.object({
  noun: z.enum([
    'toolbox',
    'instance',
    'agent',
    'toolbelt',
    'call',
    'approval',
    'activity',
    'token',
    'provider',
    'tool',
    'registry',
    'image',
    'member',
    'settings',
    'everything',
  ]),
  id: z.string().optional(),
})
export type ChangeHint = z.infer<typeof ChangeHint>

export const followChanges = defineUserOperation({
  id: 'followChanges',
  summary: 'Hints about everything that changes in the account, as they happen',
  method: 'GET',
  path: '/api/events',
  auth: 'viewer',
  status: 200,
  event: ChangeHint,
  problems: ['rate-limited'],
})

/** Who did what to which thing, and how it went. */
export const Activity = z.object({
  id: z.string(),
  at: Timestamp,
  actor: z.string(),
  /** `toolbox.active`, `instance.deployed`, … */
  action: z.string(),
  subject: z.string(),
  toolboxId: z.string().optional(),
  message: z.string(),
})
export type Activity = z.infer<typeof Activity>

export const listActivity = defineUserOperation({
  id: 'listActivity',
  summary: 'List what happened, newest first',
  method: 'GET',
  path: '/api/activity',
  auth: 'viewer',
  status: 200,
  query: Page.extend({ toolboxId: z.string().max(64).optional() }),
  reply: pageOf(Activity),
  problems: [],
})

export const getInfo = defineUserOperation({
  id: 'getInfo',
  summary: 'What this control plane is',
  method: 'GET',
  path: '/api/info',
  auth: 'none',
  status: 200,
  reply: z.object({
    product: z.literal('Agentopia Toolboxes'),
    version: z.string(),
    mcpUrl: z.url().describe('Where agents connect.'),
    operatorUrl: z.url().describe('Where models of operators connect, with an API token.'),
    publicUrl: z.url(),
    variants: z.array(InstallVariant).describe('Ways in which DTMA can be installed from here.'),
    signOn: z.string().optional().describe('What single sign-on is called; absent: there is none.'),
    recoveringSince: Timestamp.optional().describe(
      'The database was restored from a copy: since then this control plane only watches, until an operator of the machine ends the recovery.',
    ),
  }),
  problems: [],
})
