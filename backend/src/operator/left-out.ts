import type { UserOperation } from '@agentopia/api'
import { parsed, type Schema, sent } from '@agentopia/api/json-schema'

/** Why an operation is no tool of operators. */
export type LeftOut =
  /** Nobody in particular calls it: ways in, and what is shown before anybody is signed in. */
  | 'for-anybody'
  /** Agents have an endpoint of their own. */
  | 'for-agents'
  /** A person has to show to be there. */
  | 'presence'
  /** It is about how the caller comes in. */
  | 'way-in'
  /** It is the word of a person who was asked; a model would be asked in the person's place. */
  | 'consent'
  /** Another one reads the same, and changes nothing. */
  | 'read-by-another'
  | 'stream'
  | 'file'
  | 'upload'
  /** A secret would go through the model, one way or the other. */
  | 'takes-secret'
  | 'shows-secret'

/**
 * Whether an operation is left out of the tools of operators, and why; `undefined`: it is one of them. Decided from what the contract
 * says of it alone: whoever adds an operation decides there.
 * @param all Every operation there is.
 */
export function whyLeftOut(op: UserOperation, all: readonly UserOperation[]): LeftOut | undefined {
  if (op.auth === 'none') return 'for-anybody'
  if (op.auth === 'agent') return 'for-agents'
  if (op.presence) return 'presence'
  if (op.personal) return op.personal
  if (op.method === 'POST' && all.some((other) => readsTheSame(other, op))) return 'read-by-another'
  if (op.event) return 'stream'
  if (op.file) return 'file'
  if (op.upload) return 'upload'
  if ([op.params, op.query, op.body].some((schema) => schema && holdsSecret(sent(schema)))) return 'takes-secret'
  if (op.reply && holdsSecret(parsed(op.reply))) return 'shows-secret'
  return undefined
}

const readsTheSame = ({ method, path, reply }: UserOperation, op: UserOperation): boolean =>
  method === 'GET' && path === op.path && reply === op.reply

/** Is there a field anywhere in it that is marked as a secret? */
function holdsSecret(schema: Schema): boolean {
  const open: unknown[] = [schema]
  while (open.length > 0) {
    const next = open.pop()
    if (typeof next !== 'object' || next === null) continue
    if ('x-secret' in next) return true
    open.push(...Object.values(next))
  }
  return false
}
