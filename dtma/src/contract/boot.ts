import * as z from 'zod/mini'
import { defineOperation } from './operation.ts'

/**
 * What a machine goes through until it is a toolbox, in order. `program`: only where DTMA is no container. The last one is known by
 * the enrolment itself.
 */
export const BOOT_STAGES = ['docker', 'image', 'program', 'dtma', 'enrolled'] as const
export const BootStage = z.enum(BOOT_STAGES)
export type BootStage = z.infer<typeof BootStage>

export const BootState = z.enum(['running', 'done', 'failed'])
export type BootState = z.infer<typeof BootState>

/** Largest log tail, in characters. */
export const BOOT_LOG_LIMIT = 8_000

export const reportBoot = defineOperation({
  id: 'reportBoot',
  summary: 'How far the installation of DTMA is; sent by the install script with the enrolment token as a bearer token',
  method: 'POST',
  path: '/dtma/boot',
  auth: 'enrolment',
  status: 200,
  body: z.strictObject({
    toolboxId: z.string().check(z.maxLength(64)),
    stage: z.enum(['docker', 'image', 'program', 'dtma']),
    state: BootState,
    /** The last lines of the installation. */
    log: z.optional(z.string().check(z.maxLength(BOOT_LOG_LIMIT))),
  }),
  reply: z.object({}),
  problems: ['enrolment-refused'],
})
