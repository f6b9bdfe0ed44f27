import * as z from 'zod/mini'
import { ToolName, ToolReason } from './tool.ts'

/** Something that happened on the toolbox. The SSE id is the place to resume from. */
export const DtmaEvent = z.object({
  at: z.iso.datetime(),
  /** `capabilities`: a server offers something else than when its generation was first spoken to. */
  kind: z.enum(['tool', 'capabilities', 'docker', 'isolation']),
  /** Of `tool` and `capabilities`. */
  tool: z.optional(ToolName),
  /** The new state, in the words of the status. */
  state: z.optional(z.string()),
  reason: z.optional(ToolReason),
  message: z.optional(z.string()),
})
export type DtmaEvent = z.infer<typeof DtmaEvent>

/** One measurement of a tool's container; the SSE id says nothing, measurements are not kept. */
export const ToolStats = z.object({
  at: z.iso.datetime(),
  /** CPUs in use since the measurement before; 1 is one whole CPU. */
  cpus: z.number(),
  /** Without the pages of files that the kernel would give up at once. */
  memoryBytes: z.int(),
  memoryLimitBytes: z.int(),
  pids: z.int(),
  /** Since the container was started. */
  networkRxBytes: z.int(),
  networkTxBytes: z.int(),
})
export type ToolStats = z.infer<typeof ToolStats>

/** One thing that was looked at, and what to do when it is not well. */
export const Check = z.object({
  id: z.enum([
    'docker',
    'state-directory',
    'disk-space',
    'memory',
    'clock',
    'runner-image',
    'package-indexes',
    'isolation',
    'control-plane',
    'tools',
  ]),
  ok: z.boolean(),
  /** What was found; one sentence, with the figures. */
  finding: z.string(),
  /** Absent when all is well. */
  fix: z.optional(z.string()),
})
export type Check = z.infer<typeof Check>
