import { BootStage, BootState, DockerState, SystemMetrics } from '@agentopia/dtma/contract'
import * as z from 'zod'
import { Name, Page, pageOf, Timestamp, ToolboxId } from './fields.ts'
import { defineUserOperation } from './operation.ts'

export const Provider = z.enum(['digitalocean', 'ssh', 'join', 'local'])
export type Provider = z.infer<typeof Provider>

export const ToolboxStatus = z.enum([
  'pending_provision',
  'provisioning',
  'awaiting_heartbeat',
  'active',
  'unresponsive',
  'error_provisioning',
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
  connected: z.boolean().describe('A tunnel is open now.'),
  publicIpAddress: z.string().optional(),
  reservedIpAddress: z.string().optional().describe('Of a droplet: it stays when the droplet is another.'),
  placement: Placement.optional().describe('Of a droplet.'),
  dropletId: z.int().optional(),
  boot: Boot.optional().describe('Absent for this machine itself.'),
  dtmaVersion: z.string().optional(),
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
  summary: 'The same as POST, for clients that only read',
})
