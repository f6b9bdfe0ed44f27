import type { JsonRpcAnswer } from '@agentopia/dtma/contract'
import { resourceUriOf } from './names.ts'

type Json = Readonly<Record<string, unknown>>

/** Gives the resources that a result speaks of the addresses under which this gateway leads to them. */
export function withUris(answer: JsonRpcAnswer, instanceName: string | undefined): JsonRpcAnswer {
  if (instanceName === undefined) return answer
  const named = (holder: unknown): Json => {
    const { uri } = Object(holder) as { uri?: unknown }
    return typeof uri === 'string'
      ? { ...(holder as Json), uri: resourceUriOf({ instanceName, own: uri }) }
      : (holder as Json)
  }
  const block = (given: unknown): unknown => {
    const { type, resource } = Object(given) as { type?: unknown; resource?: unknown }
    if (type === 'resource_link') return named(given)
    return type === 'resource' ? { ...(given as Json), resource: named(resource) } : given
  }
  const blocks = (given: unknown): unknown => (Array.isArray(given) ? given.map(block) : block(given))

  if ('error' in answer) {
    const { error } = answer
    return error.data === undefined ? answer : { error: { ...error, data: named(error.data) } }
  }
  const { content, contents, messages } = answer.result
  return {
    result: {
      ...answer.result,
      ...(Array.isArray(content) ? { content: blocks(content) } : {}),
      ...(Array.isArray(contents) ? { contents: contents.map(named) } : {}),
      ...(Array.isArray(messages)
        ? { messages: messages.map((message: Json) => ({ ...message, content: blocks(message['content']) })) }
        : {}),
    },
  }
}
