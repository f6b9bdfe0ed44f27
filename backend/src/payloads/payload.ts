import type { CallPayload, PayloadRule } from '@agentopia/api'
import { stepsOf, without } from './json-path.ts'

/** What a call had, after secrets were taken out. */
export interface Exchanged {
  readonly arguments: unknown
  readonly result?: unknown
  readonly error?: unknown
}

type Part = CallPayload['arguments']
/** What is kept of a call. */
export type KeptPayload = { readonly [Name in keyof Exchanged]: Part }

/** What the rule keeps of it: without what is at its paths, and of what is too long the beginning. */
export function keptOf({ redact, mostBytes }: PayloadRule, exchanged: Exchanged): KeptPayload {
  const clean = redact.reduce<unknown>((value, path) => without(value, stepsOf(path)), exchanged) as Exchanged
  return Object.fromEntries(
    Object.entries(clean).flatMap(([name, value]) => (value === undefined ? [] : [[name, partOf(value, mostBytes)]])),
  ) as unknown as KeptPayload
}

function partOf(value: unknown, mostBytes: number): Part {
  const text = JSON.stringify(value)
  const bytes = Buffer.from(text)
  if (bytes.length <= mostBytes) return { whole: true, json: value }
  // Cut between characters: the decoder leaves out a last one that is not all there.
  return { whole: false, text: new TextDecoder().decode(bytes.subarray(0, mostBytes), { stream: true }) }
}
