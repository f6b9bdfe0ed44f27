import * as z from 'zod'
import { Name, Slug, secret, Timestamp, ToolboxId } from './fields.ts'
import { defineUserOperation } from './operation.ts'
import { SshPlace } from './ssh.ts'
import { Direct, InstallVariant, Toolbox } from './toolboxes.ts'

const one = z.object({ toolboxId: ToolboxId })

const variant = InstallVariant.default('docker')

export const NewToolbox = z.discriminatedUnion('provider', [
  z.strictObject({
    provider: z.literal('join'),
    name: Name,
    variant,
    direct: Direct.required({ address: true })
      .optional()
      .describe('The control plane dials the server; absent: the server dials.'),
  }),
  z.strictObject({ provider: z.literal('ssh'), name: Name, variant, ...SshPlace.shape }),
  z.strictObject({
    provider: z.literal('digitalocean'),
    name: Name,
    variant,
    region: Slug,
    size: Slug,
    image: Slug,
    direct: z
      .boolean()
      .default(false)
      .describe('The control plane dials the droplet; its firewall lets nobody else in.'),
  }),
])

export const createToolbox = defineUserOperation({
  id: 'createToolbox',
  summary: 'Ask for a toolbox: a new droplet, or a server of your own that joins by one line or is installed over SSH',
  method: 'POST',
  path: '/api/toolboxes',
  auth: 'operator',
  status: 202,
  body: NewToolbox,
  reply: Toolbox,
  problems: [
    'name-taken',
    'idempotency-key-reused',
    'toolbox-limit',
    'toolbox-limit-of-all',
    'variant-unavailable',
    'provider-not-configured',
    'provider-refused',
    'provider-unavailable',
    'unreachable-control-plane',
    'direct-not-possible',
  ],
})

export const removeToolbox = defineUserOperation({
  id: 'removeToolbox',
  summary: 'Ask for the end of a toolbox: its droplet is destroyed, its tools are forgotten, its history stays',
  method: 'DELETE',
  path: '/api/toolboxes/:toolboxId',
  auth: 'operator',
  status: 202,
  params: one,
  query: z.object({ confirm: Name.optional().describe('Name of the toolbox; needed for a droplet.') }),
  reply: Toolbox,
  problems: ['toolbox-not-found', 'not-confirmed'],
})

export const retryToolbox = defineUserOperation({
  id: 'retryToolbox',
  summary: 'Try a failed provisioning again, with a fresh droplet; enrol this machine itself anew after a quarantine',
  method: 'POST',
  path: '/api/toolboxes/:toolboxId/retry',
  auth: 'operator',
  status: 202,
  params: one,
  reply: Toolbox,
  problems: ['toolbox-not-found', 'not-retryable'],
})

/** Lines to paste into a terminal of the server. */
export const JoinLine = z.object({
  /** Installs DTMA and enrols the server. Holds the token, which works once. */
  line: secret(z.string()),
  expiresAt: Timestamp,
  /** Repairs and updates what is installed. Holds no secret. */
  updateLine: z.string(),
  /** Takes everything off the server again. Holds no secret. */
  uninstallLine: z.string(),
  /** Why the line may not work elsewhere. */
  warning: z.string().optional(),
})
export type JoinLine = z.infer<typeof JoinLine>

export const createJoinLine = defineUserOperation({
  id: 'createJoinLine',
  summary:
    'Make the line that turns a server into this toolbox, or a machine that was locked out into it again; an earlier one that nobody used is void',
  method: 'POST',
  path: '/api/toolboxes/:toolboxId/join-line',
  auth: 'operator',
  status: 201,
  params: one,
  reply: JoinLine,
  problems: ['toolbox-not-found', 'not-joinable'],
})
