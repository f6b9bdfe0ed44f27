import {
  BootStage,
  BootState,
  Check,
  DockerState,
  DTMA_PORT,
  SystemMetrics,
  UpdatePhase,
} from '@agentopia/dtma/contract'
import * as z from 'zod'
import { Name, Page, pageOf, Timestamp, ToolboxId } from './fields.ts'
import { defineUserOperation } from './operation.ts'
import { SshHostKey, SshPlace } from './ssh.ts'

export const Provider = z.enum(['digitalocean', 'ssh', 'join', 'local'])
export type Provider = z.infer<typeof Provider>

/**
 * How DTMA comes to a machine. `docker`: as a container, its image loaded from the control plane; `registry`: the same, pulled;
 * `systemd`: as a service, from a bundle of the control plane; `git`: the same, built on the machine.
 */
export const InstallVariant = z.enum(['docker', 'registry', 'systemd', 'git'])
export type InstallVariant = z.infer<typeof InstallVariant>

export const ToolboxStatus = z.enum([
  'pending_provision',
  'provisioning',
  'awaiting_heartbeat',
  'active',
  'unresponsive',
  'error_provisioning',
  // Its droplet was destroyed at the provider: the toolbox and what is wanted on it are there, the machine is not.
  'lost',
  'pending_deprovision',
  'deprovisioning',
  'deprovisioned',
  'error_deprovisioning',
  'resizing',
  'quarantined',
])
export type ToolboxStatus = z.infer<typeof ToolboxStatus>

/** What one look at a toolbox showed. A fault of the toolbox is an answer, never an error of ours. */
export const ObservationCode = z.enum([
  'reachable', // answered, right key, Docker ok
  'docker_down', // answered; its Docker does not
  'docker_hung', // answered; its Docker accepts but never answers
  'stopped', // DTMA said goodbye: it was stopped on purpose
  'unreachable', // the connection broke without a goodbye: DTMA, machine or network died
  'not_answering', // connected, but nothing comes back: the process is paused or the machine is frozen
  'unauthorized', // answers, but refuses our key
  'identity_mismatch', // answers with another toolbox's identity
  'incompatible', // answers, but lacks an operation or version that the control plane needs
  'never_connected', // enrolled or not, it has not connected yet
])
export type ObservationCode = z.infer<typeof ObservationCode>

export const Observation = z.object({
  code: ObservationCode,
  /** One sentence: what was seen. */
  summary: z.string(),
  /** What was measured: `round trip 3 ms`, `HTTP 401`, `tunnel closed 1006 at …`, in order. */
  evidence: z.array(z.string()),
  /** The next thing to do; absent when all is well. */
  nextStep: z.string().optional(),
  /** Since when the code has been the same. */
  since: Timestamp,
  observedAt: Timestamp,
})
export type Observation = z.infer<typeof Observation>

/** How far the installation of DTMA on a machine is. */
export const Boot = z.object({
  stages: z.array(z.object({ stage: BootStage, state: BootState, at: Timestamp })),
  /** The last lines of the installation, as of the last report. */
  log: z.string().optional(),
})
export type Boot = z.infer<typeof Boot>

/** What a droplet is asked for, and what it costs. */
export const Placement = z.object({
  region: z.string(),
  size: z.string(),
  image: z.string(),
  monthlyUsd: z.number().describe('List price of the size when the toolbox was made.'),
})
export type Placement = z.infer<typeof Placement>

/** A host as it is dialled: an IP address or a name. */
export const Host = z
  .string()
  .max(253)
  .refine(
    (text) =>
      z.union([z.ipv4(), z.ipv6()]).safeParse(text).success ||
      /^(?=.*[a-z])(?:[a-z0-9-]{1,63}\.)*[a-z0-9-]{1,63}$/.test(text),
    'an IP address, or a name in lower case',
  )

/** How the control plane dials a toolbox of the direct road. Absent at a toolbox: its DTMA dials, and opens a tunnel. */
export const Direct = z.strictObject({
  address: Host.optional().describe('Absent for a droplet: its provider knows it.'),
  port: z.int().min(1).max(65_535).default(DTMA_PORT).describe("DTMA's port."),
  plainHttp: z
    .boolean()
    .default(false)
    .describe('Without TLS; on a private address, where the control plane allows it.'),
})
export type Direct = z.infer<typeof Direct>

/** How DTMA stands to what the control plane gives out. */
export const DtmaRelease = z.object({
  /** `too_old`: older than what the control plane needs; what it lacks does not work until it is updated. */
  standing: z.enum(['current', 'outdated', 'too_old']),
  newer: z.string().optional().describe('The version that it can be updated to; absent when there is none.'),
})
export type DtmaRelease = z.infer<typeof DtmaRelease>

/** The last update of DTMA that was asked for. */
export const ToolboxUpdate = z.object({
  version: z.string(),
  askedAt: Timestamp,
  /** The version before; absent until DTMA has taken it up. */
  from: z.string().optional(),
  /**
   * `asked`: DTMA has not taken it up yet. `refused`: it will not. `unanswered`: it has not said in time how it ended; what it says
   * later is shown.
   */
  phase: z.enum(['asked', 'refused', 'unanswered', ...UpdatePhase.options]),
  percent: z.int().optional().describe('Of the download.'),
  /** Why it was refused, unanswered, failed or fell back, in a word; `message` says it in a sentence. */
  reason: z.string().optional(),
  message: z.string().optional(),
  since: Timestamp,
})
export type ToolboxUpdate = z.infer<typeof ToolboxUpdate>

/** The last change of its keys that was asked for. */
export const KeyRotation = z.object({
  /**
   * `asked`: DTMA has not enrolled with a fresh key yet; the keys there are hold. `refused`: it will not. `unanswered`: it has not in
   * time; if it does after all, it is `done`.
   */
  phase: z.enum(['asked', 'done', 'refused', 'unanswered']),
  askedAt: Timestamp,
  message: z.string().optional().describe('Why it was refused, or what was last heard.'),
})
export type KeyRotation = z.infer<typeof KeyRotation>

/** Who dials: DTMA, which opens a tunnel, or the control plane. */
export const Road = z.enum(['tunnel', 'direct'])
export type Road = z.infer<typeof Road>

/** As people say it. */
export const ROAD_NAMES = { tunnel: 'tunnel', direct: 'direct road' } as const satisfies Record<Road, string>

/** The last change of its road that was asked for. */
export const RoadChange = z.object({
  to: Road,
  /**
   * `asked`: nothing has happened yet. `trying`: both are open, the one before is in use. `closing`: the new one is proven and in
   * use, the one before ends its calls. `undoing`: the new one did not come up. `done` and `failed`: exactly one is open.
   */
  phase: z.enum(['asked', 'trying', 'closing', 'undoing', 'done', 'failed']),
  askedAt: Timestamp,
  /** Why the road is the one before, in a word; `message` says it in a sentence. */
  reason: z.string().optional(),
  message: z.string().optional(),
  /** What was tried, and what came of it, in order. */
  evidence: z.array(z.string()).optional(),
  /** The next thing to do. */
  nextStep: z.string().optional(),
})
export type RoadChange = z.infer<typeof RoadChange>

export const Toolbox = z.object({
  id: ToolboxId,
  name: Name,
  provider: Provider,
  status: ToolboxStatus,
  /** Why the status is what it is, for people; absent when it needs no words. */
  statusReason: z.string().optional(),
  statusSince: Timestamp,
  /** True from 30 s of silence; `unresponsive` follows at 60 s. */
  suspect: z.boolean(),
  lastHeartbeatAt: Timestamp.optional().describe("By the control plane's clock."),
  connected: z.boolean().describe('A connection is open now.'),
  direct: Direct.optional().describe('Absent: DTMA dials, and opens a tunnel.'),
  clockSkewSeconds: z.number().optional().describe('By how much its clock is ahead; absent while it is right.'),
  publicIpAddress: z.string().optional(),
  reservedIpAddress: z.string().optional().describe('Of a droplet: it stays when the droplet is another.'),
  placement: Placement.optional().describe('Of a droplet.'),
  dropletId: z.int().optional(),
  variant: InstallVariant.optional().describe('How DTMA is installed; absent for this machine itself.'),
  ssh: SshPlace.extend({ hostKey: SshHostKey.optional() }).optional().describe('Of a server that is reached over SSH.'),
  boot: Boot.optional().describe('Absent for this machine itself.'),
  dtmaVersion: z.string().optional(),
  release: DtmaRelease.optional(),
  update: ToolboxUpdate.optional(),
  keyRotation: KeyRotation.optional(),
  roadChange: RoadChange.optional(),
  machine: z.object({ hostname: z.string(), os: z.string(), arch: z.string() }).optional(),
  docker: z.optional(DockerState),
  system: z.optional(SystemMetrics),
  observation: Observation.optional(),
  toolCounts: z.object({ running: z.int(), total: z.int() }),
  createdAt: Timestamp,
  deletedAt: Timestamp.optional(),
})
export type Toolbox = z.infer<typeof Toolbox>

const one = z.object({ toolboxId: ToolboxId })

export const listToolboxes = defineUserOperation({
  id: 'listToolboxes',
  summary: 'List the toolboxes',
  method: 'GET',
  path: '/api/toolboxes',
  auth: 'viewer',
  status: 200,
  query: Page,
  reply: pageOf(Toolbox),
  problems: [],
})

export const getToolbox = defineUserOperation({
  id: 'getToolbox',
  summary: 'Read one toolbox',
  method: 'GET',
  path: '/api/toolboxes/:toolboxId',
  auth: 'viewer',
  status: 200,
  params: one,
  reply: Toolbox,
  problems: ['toolbox-not-found'],
})

/** The seed's route, GET and POST alike. Always 200 for a toolbox that exists: what is wrong with it is the answer. */
export const refreshToolboxStatus = defineUserOperation({
  id: 'refreshToolboxStatus',
  summary: 'Look at the toolbox now and tell the truth about it',
  method: 'POST',
  path: '/api/toolboxes-user/:toolboxId/refresh-status',
  auth: 'viewer',
  status: 200,
  params: one,
  reply: z.object({ toolbox: Toolbox, observation: Observation }),
  problems: ['toolbox-not-found'],
})

export const readToolboxStatus = defineUserOperation({
  ...refreshToolboxStatus,
  id: 'readToolboxStatus',
  method: 'GET',
  summary: 'Look at the toolbox now and tell the truth about it; the same as POST, for clients that only read',
})

export const diagnoseToolbox = defineUserOperation({
  id: 'diagnoseToolbox',
  summary: 'What DTMA finds of everything that it depends on, each with the way out',
  method: 'GET',
  path: '/api/toolboxes/:toolboxId/diagnostics',
  auth: 'viewer',
  status: 200,
  params: one,
  reply: z.object({ checks: z.array(Check) }),
  problems: ['toolbox-not-found', 'toolbox-unreachable'],
})
