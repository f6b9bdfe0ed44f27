import * as z from 'zod/mini'
import { InstallationKind, UpdateState } from './release.ts'
import { OpenRoads } from './road.ts'
import { ToolStatus } from './tool.ts'

/** Rules of DTMA's own in the machine's kernel, beside what Docker does: looked at before each start and a few times a minute. */
export const Firewall = z.object({
  /**
   * `missing`: they are gone or changed, and cannot be restored: no tool with a network starts, and what runs goes on.
   * `unavailable`: this machine can have none; what Docker does has to be enough.
   */
  state: z.enum(['ok', 'missing', 'unavailable']),
  /** By the toolbox's clock. */
  since: z.iso.datetime(),
  /** What was found, when it is not ok. */
  message: z.optional(z.string()),
})
export type Firewall = z.infer<typeof Firewall>

/** Whether Docker keeps tools from the machine, its cloud's metadata, private networks and each other: tried at start and hourly. */
export const Isolation = z.object({
  /** `unproven`: the probe has not run yet, or could not. `failed`: it reached something; no tool with a network starts. */
  state: z.enum(['unproven', 'ok', 'failed']),
  /** When the probe last came to an end, by the toolbox's clock. */
  checkedAt: z.optional(z.iso.datetime()),
  /** What it reached and should not have, in words. */
  leaks: z.array(z.string()),
  /** Absent: no tool has a network. */
  firewall: z.optional(Firewall),
})
export type Isolation = z.infer<typeof Isolation>

/** What the engine puts around every container, beside what tools are given for themselves. */
export const Confinement = z.object({
  /** The filter of system calls. `default`: Docker's own. `other`: the machine's. `none`: a tool may make any that its user may. */
  seccomp: z.enum(['default', 'other', 'none']),
  /** The security module of the kernel that Docker uses. */
  module: z.enum(['apparmor', 'selinux', 'none']),
})
export type Confinement = z.infer<typeof Confinement>

export const DockerState = z.object({
  state: z.enum(['ok', 'down', 'hung']),
  version: z.optional(z.string()),
  /** Absent: Docker was not asked, or did not say. */
  confinement: z.optional(Confinement),
  /** Why it is not ok. */
  message: z.optional(z.string()),
  isolation: z.optional(Isolation),
})
export type DockerState = z.infer<typeof DockerState>

/** The machine, not DTMA's container. */
export const SystemMetrics = z.object({
  cpus: z.int(),
  /** Share of all CPUs in use since the previous sample, 0 to 1. */
  cpuUsage: z.number(),
  memoryBytes: z.int(),
  memoryUsedBytes: z.int(),
  /** Of the file system that holds DTMA's data. */
  diskBytes: z.int(),
  diskUsedBytes: z.int(),
  /** Since boot, all interfaces but loopback and virtual ones. */
  networkRxBytes: z.int(),
  networkTxBytes: z.int(),
  loadAverage: z.number(),
  uptimeSeconds: z.int(),
})
export type SystemMetrics = z.infer<typeof SystemMetrics>

export const DtmaStatus = z.object({
  version: z.string(),
  apiVersion: z.int(),
  /** Ids of the operations that this DTMA has. */
  operations: z.optional(z.array(z.string())),
  toolboxId: z.optional(z.string()),
  /** New with each start of the process. */
  runId: z.string(),
  uptimeSeconds: z.int(),
  docker: DockerState,
  system: SystemMetrics,
  tools: z.array(ToolStatus),
  /** The last update; absent: there was none. */
  update: z.optional(UpdateState),
  installation: z.optional(InstallationKind),
  /** By which roads the control plane may come now. */
  road: z.optional(OpenRoads),
})
export type DtmaStatus = z.infer<typeof DtmaStatus>
