import { CODE } from '@agentopia/dtma/contract'
import type { McpAnswer } from './mcp-answer.ts'
import { type Era, statusOf } from './mcp-revision.ts'

/** What may be asked of an endpoint, by name: in both eras, and in one of them alone. Whatever is not here does not exist. */
export type MethodTable<Handle> = Readonly<Record<Era | 'both', Readonly<Record<string, Handle>>>>

export const handleOf = <Handle>(table: MethodTable<Handle>, method: string, era: Era): Handle | undefined =>
  own(table.both, method) ?? own(table[era], method)

/** Not what every object has, such as `constructor`. */
const own = <Handle>(handles: Readonly<Record<string, Handle>>, method: string): Handle | undefined =>
  Object.hasOwn(handles, method) ? handles[method] : undefined

export function endNotOffered(answer: McpAnswer, method: string, era: Era): void {
  const error = { code: CODE.methodNotFound, message: `${method.slice(0, 100)} is not offered here` }
  answer.end({ error }, era === 'modern' ? statusOf(error.code) : 200)
}
