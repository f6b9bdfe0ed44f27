import * as z from 'zod'
import { Call } from './calls.ts'
import { AgentId, CallId, InstanceId, Name, Timestamp } from './fields.ts'
import { defineUserOperation } from './operation.ts'

/**
 * A place in `{"arguments": …, "result": …}` (or `"error"`), in a part of JSONPath (RFC 9535): names, positions, `*`, and `..` once.
 * `$.arguments.password`, `$..token`, `$.result.content[*].text`, `$['odd name'][0]`.
 */
export const JsonPath = z
  .string()
  .max(200)
  .regex(
    /^\$(?:(?:\.\.?(?:[A-Za-z_][\w-]*|\*))|\[(?:\d{1,6}|\*|'[^'\\]{1,100}')\]){1,16}$/,
    'a path such as $.arguments.password, $..token or $.result.content[*].text',
  )
  .refine((path) => path.split('..').length <= 2, '`..` at most once')

/** How what was sent and answered is kept, beside the record of a call. */
export const PayloadRule = z.object({
  /** 0: nothing is kept. */
  days: z.int().min(0).max(365),
  /** Longest arguments, and longest answer, that are kept whole; of longer ones the beginning is. */
  mostBytes: z.int().min(256).max(1_048_576),
  /** What is at these places is never kept. */
  redact: z.array(JsonPath).max(50),
})
export type PayloadRule = z.infer<typeof PayloadRule>

/** The rule of the account, and those of instances that have one of their own. */
export const PayloadRules = z.object({
  account: PayloadRule,
  instances: z.array(PayloadRule.extend({ instanceId: InstanceId, instanceName: Name.optional() })),
})
export type PayloadRules = z.infer<typeof PayloadRules>

const Part = z.object({
  /** False: it was longer than the rule keeps, and `text` is its beginning. */
  whole: z.boolean(),
  json: z.unknown().optional(),
  text: z.string().optional(),
})

/** What was sent with a call, and what came back, after secrets were taken out. */
export const CallPayload = z.object({
  callId: CallId,
  arguments: Part,
  /** Absent when nothing came back. */
  result: Part.optional(),
  error: Part.optional(),
  keptUntil: Timestamp,
})
export type CallPayload = z.infer<typeof CallPayload>

const one = z.object({ callId: CallId })

export const getCall = defineUserOperation({
  id: 'getCall',
  summary: 'Read the record of one call',
  method: 'GET',
  path: '/api/calls/:callId',
  auth: 'viewer',
  status: 200,
  params: one,
  reply: Call.extend({
    /** What was sent and answered is kept, too. */
    payload: z.object({ keptUntil: Timestamp, bytes: z.int() }).optional(),
  }),
  problems: ['call-not-found'],
})

export const getCallPayload = defineUserOperation({
  id: 'getCallPayload',
  summary: 'Read what was sent with a call and what came back, where that is kept; reading it is put on record',
  method: 'GET',
  path: '/api/calls/:callId/payload',
  auth: 'operator',
  status: 200,
  params: one,
  reply: CallPayload,
  problems: ['payload-not-found'],
})

export const removeCallPayload = defineUserOperation({
  id: 'removeCallPayload',
  summary: 'Forget what was sent with a call and what came back; the record of the call stays',
  method: 'DELETE',
  path: '/api/calls/:callId/payload',
  auth: 'admin',
  status: 204,
  params: one,
  problems: ['payload-not-found'],
})

export const removeCallPayloads = defineUserOperation({
  id: 'removeCallPayloads',
  summary: 'Forget everything that is kept of what was sent and answered: of an agent, of an instance, or all of it',
  method: 'DELETE',
  path: '/api/calls/payloads',
  auth: 'admin',
  status: 200,
  query: z.object({ agentId: AgentId.optional(), instanceId: InstanceId.optional() }),
  reply: z.object({ removed: z.int() }),
  problems: [],
})

export const getPayloadRules = defineUserOperation({
  id: 'getPayloadRules',
  summary: 'Read whether, and how long, it is kept what is sent with calls and what comes back',
  method: 'GET',
  path: '/api/calls/payload-rules',
  auth: 'viewer',
  status: 200,
  reply: PayloadRules,
  problems: [],
})

export const putPayloadRule = defineUserOperation({
  id: 'putPayloadRule',
  summary:
    'Set the rule of the account, or of one instance. What is kept already goes when the new rule would have it gone',
  method: 'PUT',
  path: '/api/calls/payload-rules',
  auth: 'admin',
  status: 200,
  body: z.strictObject({
    instanceId: InstanceId.optional().describe('Absent: the account.'),
    days: PayloadRule.shape.days,
    mostBytes: PayloadRule.shape.mostBytes.default(65_536),
    redact: PayloadRule.shape.redact.default([]),
  }),
  reply: PayloadRules,
  problems: ['instance-not-found'],
})

export const removePayloadRule = defineUserOperation({
  id: 'removePayloadRule',
  summary: 'Take the rule of an instance away: that of the account holds for it again',
  method: 'DELETE',
  path: '/api/calls/payload-rules/:instanceId',
  auth: 'admin',
  status: 200,
  params: z.object({ instanceId: InstanceId }),
  reply: PayloadRules,
  problems: ['instance-not-found'],
})
