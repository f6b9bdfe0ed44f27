import * as z from 'zod'
import { secret, ToolboxId } from './fields.ts'
import { defineUserOperation } from './operation.ts'

/** Where a server listens for SSH, and as whom to come. */
export const SshPlace = z.strictObject({
  host: z
    .string()
    .min(1)
    .max(253)
    .regex(/^[a-z0-9]([a-z0-9.:-]*[a-z0-9])?$/i, 'a host name or an address'),
  port: z.int().min(1).max(65_535).default(22),
  user: z
    .string()
    .max(32)
    .regex(/^[a-z_][a-z0-9_-]*$/i, 'a user of the server')
    .default('root')
    .describe('Another one than root needs sudo there.'),
})
export type SshPlace = z.infer<typeof SshPlace>

/** The key by which a server proves that it is the same one. */
export const SshHostKey = z.object({
  /** `ssh-ed25519`, … */
  type: z.string(),
  /** As `ssh-keygen -lf` prints it: `SHA256:…`. */
  fingerprint: z.string(),
})
export type SshHostKey = z.infer<typeof SshHostKey>

/** How to log in. Passwords and keys that are given here are used for this once, and kept nowhere. */
export const SshLogin = z.discriminatedUnion('type', [
  z
    .strictObject({ type: z.literal('account-key') })
    .describe('The key of the account: its public half is on the server.'),
  z.strictObject({ type: z.literal('password'), password: secret(z.string().min(1).max(1_024)) }),
  z.strictObject({
    type: z.literal('private-key'),
    privateKey: secret(z.string().min(1).max(16_384)).describe('OpenSSH or PEM.'),
    passphrase: secret(z.string().max(1_024)).optional(),
  }),
])
export type SshLogin = z.infer<typeof SshLogin>

export const SshAction = z.enum(['install', 'update', 'uninstall'])
export type SshAction = z.infer<typeof SshAction>

export const SshEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('line'), from: z.enum(['out', 'err']), text: z.string() }),
  /** The last one. */
  z.object({
    type: z.literal('end'),
    ok: z.boolean(),
    /** Absent when it was killed, or the connection broke. */
    exitCode: z.int().optional(),
    /** One sentence. */
    summary: z.string(),
  }),
])
export type SshEvent = z.infer<typeof SshEvent>

const one = z.object({ toolboxId: ToolboxId })

export const readSshHostKey = defineUserOperation({
  id: 'readSshHostKey',
  summary: 'Look at the host key of a server, without logging in',
  method: 'POST',
  path: '/api/toolboxes/:toolboxId/ssh/host-key',
  auth: 'operator',
  status: 200,
  params: one,
  reply: z.object({
    seen: SshHostKey,
    recorded: SshHostKey.optional().describe('The one that was accepted earlier.'),
  }),
  problems: ['toolbox-not-found', 'not-over-ssh', 'ssh-unreachable'],
})

export const forgetSshHostKey = defineUserOperation({
  id: 'forgetSshHostKey',
  summary: 'Forget the host key of a server that was set up anew, so that another one can be accepted',
  method: 'DELETE',
  path: '/api/toolboxes/:toolboxId/ssh/host-key',
  auth: 'admin',
  status: 204,
  params: one,
  problems: ['toolbox-not-found', 'not-over-ssh'],
})

export const runOverSsh = defineUserOperation({
  id: 'runOverSsh',
  summary: 'Install, repair or uninstall DTMA over SSH, and follow it line by line; leaving ends it',
  method: 'POST',
  path: '/api/toolboxes/:toolboxId/ssh/run',
  auth: 'operator',
  status: 200,
  params: one,
  body: z.strictObject({
    action: SshAction,
    login: SshLogin,
    hostKey: z.string().max(100).describe('The fingerprint that you compared; it is recorded at the first time.'),
  }),
  event: SshEvent,
  problems: [
    'toolbox-not-found',
    'not-over-ssh',
    'ssh-unreachable',
    'ssh-host-key-changed',
    'ssh-login-refused',
    'ssh-busy',
    'variant-unavailable',
    'rate-limited',
  ],
})

export const makeSshKey = defineUserOperation({
  id: 'makeSshKey',
  summary: "The public half of the account's own SSH key, made when there is none; the other half never leaves",
  method: 'POST',
  path: '/api/ssh-key',
  auth: 'operator',
  status: 200,
  reply: z.object({ publicKey: z.string().describe('A line for authorized_keys.') }),
  problems: [],
})
