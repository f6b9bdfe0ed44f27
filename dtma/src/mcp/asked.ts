import { CODE, type JsonRpcAnswer, type JsonRpcRequest } from '../contract/json-rpc.ts'
import type { UpstreamRequest } from './upstream.ts'

/**
 * The answer to what a server asks of its client: ours where it is about the connection, the caller's where one is meant
 * beyond doubt. Never rejects.
 */
export async function answerTo(request: JsonRpcRequest, asking: UpstreamRequest | undefined): Promise<JsonRpcAnswer> {
  const { method } = request
  if (method === 'ping') return { result: {} }
  try {
    if (asking?.onRequest) return await asking.onRequest(request)
  } catch (error) {
    return { error: { code: CODE.internal, message: String((error as Error).message).slice(0, 300) } }
  }
  // Directories of a client are a question of the connection too: without a client there are none.
  if (method === 'roots/list') return { result: { roots: [] } }
  return notOffered(method)
}

export const notOffered = (method: string): JsonRpcAnswer => ({
  error: { code: CODE.methodNotFound, message: `${method.slice(0, 100)} is not offered here` },
})
