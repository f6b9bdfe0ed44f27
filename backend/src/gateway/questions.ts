import { randomUUID } from 'node:crypto'
import type { JsonRpcAnswer, JsonRpcId, JsonRpcRequest } from '@agentopia/dtma/contract'

/** What servers want of clients of earlier revisions: asked on the stream of the call, answered by a POST of its own. */
export interface Questions {
  /**
   * @param client The only one who may answer.
   * @param say Sends it; false when nobody can hear it.
   * @throws The signal's reason, or an error when it cannot be asked.
   */
  ask(
    client: string,
    question: Question,
    say: (request: JsonRpcRequest) => boolean,
    signal: AbortSignal,
  ): Promise<JsonRpcAnswer>
  /** Nothing happens when nobody asked. */
  answered(client: string, id: JsonRpcId, answer: JsonRpcAnswer): void
}

export interface Question {
  readonly method: string
  readonly params: Readonly<Record<string, unknown>>
}

export function createQuestions(): Questions {
  const waiting = new Map<string, (answer: JsonRpcAnswer) => void>()
  const keyOf = (client: string, id: JsonRpcId) => JSON.stringify([client, id])

  return {
    async ask(client, question, say, signal) {
      signal.throwIfAborted()
      const id = `agentopia-${randomUUID()}`
      const key = keyOf(client, id)
      const { promise, resolve, reject } = Promise.withResolvers<JsonRpcAnswer>()
      const leave = () => reject(signal.reason)
      signal.addEventListener('abort', leave)
      waiting.set(key, resolve)
      try {
        if (!say({ jsonrpc: '2.0', id, ...question })) throw new Error('the client cannot be asked')
        return await promise
      } finally {
        waiting.delete(key)
        signal.removeEventListener('abort', leave)
      }
    },
    answered: (client, id, answer) => waiting.get(keyOf(client, id))?.(answer),
  }
}
