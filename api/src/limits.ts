import * as z from 'zod'

const Rates = {
  perMinute: z.int().min(1).max(1_000_000).optional().describe('Calls in one minute of the clock.'),
  perDay: z.int().min(1).max(1_000_000_000).optional().describe('Calls in one day, UTC.'),
}

/** Calls in one minute of an agent of which nothing else is said. */
export const DEFAULT_CALLS_PER_MINUTE = 60

/** How much an agent may call; what is absent is not limited, except for the calls in one minute. */
export const AgentLimits = z.strictObject({
  ...Rates,
  perMinute: z
    .int()
    .min(1)
    .max(1_000_000)
    .nullable()
    .optional()
    .describe(
      `Calls in one minute of the clock. Absent: ${DEFAULT_CALLS_PER_MINUTE}, counted by each replica by itself. null: not limited.`,
    ),
  argumentBytes: z
    .int()
    .min(1)
    .max(4_194_304)
    .optional()
    .describe('Longest arguments of one call, as JSON; what names a prompt or a resource is counted with them.'),
  resultBytes: z.int().min(1).max(12_582_912).optional().describe('Longest answer of one call.'),
  capabilities: z
    .array(
      z.strictObject({
        capability: z
          .string()
          .min(1)
          .max(320)
          .describe(
            'Its name at the gateway, as the toolbelt lists it; or `<instance name>__<capability>`, which holds whether names are plain or not.',
          ),
        ...Rates,
      }),
    )
    .max(200)
    .refine((all) => new Set(all.map(({ capability }) => capability)).size === all.length, 'one entry per capability')
    .optional(),
})
export type AgentLimits = z.infer<typeof AgentLimits>
