import { type Connection, type Credential, problem, type SecretField } from '@agentopia/api'
import type { credentials } from '../store/schema/index.ts'
import type { SecretValues } from './credential.seal.ts'

/** A value this short is not shown in part: what is shown would be too much of it. */
const SHORTEST_HINTED = 16
const HINT = 4

/**
 * The values after a change: what is not named stays, `null` goes.
 * @throws {ProblemError} `invalid-credential`, with the names and never a value.
 */
export function changedValues(
  fields: readonly SecretField[],
  before: SecretValues,
  change: Readonly<Record<string, string | null>>,
): SecretValues {
  const known = new Set(fields.map(({ key }) => key))
  const unknown = Object.keys(change).filter((key) => !known.has(key))
  if (known.size === 0) throw problem('invalid-credential', 'This tool takes no secrets')
  if (unknown.length > 0)
    throw problem(
      'invalid-credential',
      `The tool takes no secret ${unknown.join(', ')}; it takes ${[...known].join(', ')}`,
    )
  const after = Object.entries({ ...before, ...change }).filter(([key, value]) => known.has(key) && value !== null)
  if (after.length === 0)
    throw problem('invalid-credential', `Nothing to store; the tool takes ${[...known].join(', ')}`)
  return Object.fromEntries(after) as SecretValues
}

/** What may be shown of each value. */
export const hintsOf = (values: SecretValues): Record<string, string> =>
  Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      value.length < SHORTEST_HINTED ? '•••' : `…${value.slice(-HINT)}`,
    ]),
  )

type Stored = Pick<typeof credentials.$inferSelect, 'version' | 'state' | 'reason' | 'hints' | 'changedAt'>

/** What people see of a credential. */
export function credentialViewOf(
  toolbeltItemId: string,
  fields: readonly SecretField[],
  stored: Stored | undefined,
  connection?: Connection,
): Credential {
  const hints = stored?.hints ?? {}
  const state = stateOf(fields, stored)
  return {
    toolbeltItemId,
    state,
    fields: fields.map((field) => ({
      ...field,
      set: Object.hasOwn(hints, field.key),
      ...(Object.hasOwn(hints, field.key) ? { hint: hints[field.key]! } : {}),
    })),
    ...(stored ? { version: stored.version, changedAt: stored.changedAt.toISOString() } : {}),
    ...(connection ? { connection } : {}),
    ...(state === 'refused' && stored?.reason ? { reason: stored.reason } : {}),
  }
}

function stateOf(fields: readonly SecretField[], stored: Stored | undefined): Credential['state'] {
  if (fields.length === 0) return 'not_needed'
  if (isComplete(fields, stored)) return stored?.state ?? 'not_needed'
  return 'missing'
}

/** Is every required secret there? */
export const isComplete = (fields: readonly SecretField[], stored: Pick<Stored, 'hints'> | undefined): boolean =>
  fields.every(({ key, required }) => !required || Object.hasOwn(stored?.hints ?? {}, key))

/**
 * The version of the values that a tool is to run with, as its toolbox is told; `undefined`: a required one is missing, and
 * it is not to run.
 */
export function secretsVersionOf(
  fields: readonly SecretField[],
  stored: (Pick<Stored, 'hints' | 'version'> & { readonly id: string }) | undefined,
): string | undefined {
  if (!isComplete(fields, stored)) return undefined
  return stored ? `${stored.id}.${stored.version}` : 'none'
}
