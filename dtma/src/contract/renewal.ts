import * as z from 'zod/mini'
import { defineOperation } from './operation.ts'

/**
 * DTMA_BEARER_TOKEN holds for an hour and is renewed three times within it, with the key of the enrolment. Both ends count the
 * renewals: whoever comes with a lower count is not the only holder of the identity.
 */

/** The next one must still be one that a database can count. */
const MOST_RENEWALS = 2 ** 31 - 2

export const challenge = defineOperation({
  id: 'challenge',
  summary: 'Ask for something to sign: good once, for a minute, for this toolbox',
  method: 'POST',
  path: '/dtma/challenge',
  auth: 'identity',
  status: 200,
  body: z.strictObject({ toolboxId: z.string().check(z.maxLength(64)) }),
  reply: z.object({ challenge: z.string() }),
  problems: [],
})

export const renew = defineOperation({
  id: 'renew',
  summary: 'Trade a signature by the key of the enrolment for the next DTMA_BEARER_TOKEN; the one before is void then',
  method: 'POST',
  path: '/dtma/renew',
  auth: 'identity',
  status: 200,
  body: z.strictObject({
    toolboxId: z.string().check(z.maxLength(64)),
    /** Of the enrolment. */
    epoch: z.int(),
    /** Renewals since then. */
    counter: z.int().check(z.minimum(0), z.maximum(MOST_RENEWALS)),
    /** Chosen for this renewal and kept until its reply came: the same again is the same renewal. */
    attempt: z.string().check(z.minLength(16), z.maxLength(64)),
    runId: z.string().check(z.maxLength(64)),
    challenge: z.string().check(z.maxLength(200)),
    /** Over {@link renewalText}, base64. */
    signature: z.string().check(z.maxLength(200)),
  }),
  reply: z.object({
    dtmaBearerToken: z.string(),
    /** To come with next time. */
    counter: z.int(),
    /** Renew again after about this time. */
    renewInSeconds: z.number(),
    /** Of the control plane's TLS key, present and next; absent: the authorities vouch for it. */
    pins: z.optional(z.array(z.string())),
  }),
  problems: ['renewal-refused', 'quarantined', 'rate-limited'],
})

type Renewal = Omit<z.infer<typeof renew.body>, 'signature'>

/** What is signed: everything that the request says. */
export const renewalText = ({ toolboxId, epoch, counter, attempt, runId, challenge }: Renewal): string =>
  JSON.stringify(['renew', toolboxId, epoch, counter, attempt, runId, challenge])
