import { problem } from '@agentopia/api'

/** What is done to the parts of a JSON value. Each returns the very thing that it was given when nothing is to change. */
export interface Replacing {
  readonly text: (text: string) => string
  readonly number: (number: number) => number | string
}

/** Nobody nests deeper, and a value that does must not end this process. */
const MOST_LEVELS = 500

/**
 * Replaces texts, keys and numbers inside a JSON value, at any depth.
 * @returns the very value when nothing changed.
 * @throws {ProblemError} `tool-failed` when it is nested too deeply to be looked at.
 */
export function replaceTexts<Value>(value: Value, replacing: Replacing, levels = MOST_LEVELS): Value {
  if (typeof value === 'string') return replacing.text(value) as Value
  if (typeof value === 'number') return replacing.number(value) as Value
  if (typeof value !== 'object' || value === null) return value
  if (levels === 0)
    throw problem('tool-failed', `What the tool takes or gives is nested deeper than ${MOST_LEVELS} levels`)
  return (Array.isArray(value) ? inList(value, replacing, levels - 1) : inObject(value, replacing, levels - 1)) as Value
}

function inList(list: readonly unknown[], replacing: Replacing, levels: number): readonly unknown[] {
  let changed = false
  const replaced = list.map((inner) => {
    const next = replaceTexts(inner, replacing, levels)
    changed ||= next !== inner
    return next
  })
  return changed ? replaced : list
}

function inObject(object: object, replacing: Replacing, levels: number): object {
  let changed = false
  const replaced = Object.entries(object).map(([key, inner]) => {
    const next = [replacing.text(key), replaceTexts(inner, replacing, levels)] as const
    changed ||= next[0] !== key || next[1] !== inner
    return next
  })
  return changed ? Object.fromEntries(replaced) : object
}
