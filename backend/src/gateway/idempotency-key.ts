import type { IncomingHttpHeaders } from 'node:http'
import { problem } from '@agentopia/api'
import { type JsonRpcRequest, metaOf } from '@agentopia/dtma/contract'

/** In `_meta` of a call: the same as the header `Idempotency-Key` of its request. */
export const IDEMPOTENCY_KEY = 'agentopia.toolboxes/idempotencyKey'

/**
 * The key that a client gives with a call of MCP; ids of requests begin anew with each client, so none of them can be the key.
 * @returns As it came, not yet checked: whoever takes it knows whether it is for him. `undefined`: the call is made each time that it is asked for.
 * @throws {ProblemError} `invalid-request` for what is no text, and for two keys that are not the same.
 */
export function idempotencyKeyOf({ params }: JsonRpcRequest, headers: IncomingHttpHeaders): string | undefined {
  const inMeta = metaOf(params)?.[IDEMPOTENCY_KEY]
  if (inMeta !== undefined && typeof inMeta !== 'string')
    throw problem('invalid-request', `_meta["${IDEMPOTENCY_KEY}"]: must be a text`)
  const { 'idempotency-key': inHeader } = headers
  if (inHeader !== undefined && inMeta !== undefined && inHeader !== inMeta)
    throw problem('invalid-request', `Idempotency-Key: is not what _meta["${IDEMPOTENCY_KEY}"] says`)
  return inMeta ?? (inHeader as string | undefined)
}
