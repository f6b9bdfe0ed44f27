import type { ToolbeltItem } from '@agentopia/api'

type Permission = ToolbeltItem['permissions'][number]

/** What is allowed when a whole toolbelt item is set at once. Only what its server calls read-only counts as that. */
export const PRESETS = {
  none: () => false,
  'read-only': ({ readOnly, destructive }) => readOnly === true && destructive !== true,
  all: () => true,
} as const satisfies Record<string, (permission: Pick<Permission, 'readOnly' | 'destructive'>) => boolean>

export type Preset = keyof typeof PRESETS

/** The three answers to "may it?". */
export type Answer = 'allow' | 'ask' | 'deny'

/** The answers by name; what is not in it is denied. */
export type Answers = ReadonlyMap<string, Exclude<Answer, 'deny'>>

/** The names that are allowed now. */
export const allowedOf = (permissions: readonly Permission[]): ReadonlySet<string> =>
  new Set(permissions.filter(({ allowed }) => allowed).map(({ capability }) => capability))

/** The answers that hold now. */
export const answersOf = (permissions: readonly Permission[]): Answers =>
  new Map(permissions.flatMap(({ capability, allowed, ask }) => (allowed ? [[capability, ask ? 'ask' : 'allow']] : [])))

/** The names that a preset allows. What is no longer offered is never allowed anew. */
export const presetOf = (permissions: readonly Permission[], preset: Preset): ReadonlySet<string> =>
  new Set(permissions.filter((one) => one.offered && PRESETS[preset](one)).map(({ capability }) => capability))

/** The answers that a preset gives. Of what was asked for and stays allowed, a person is asked on. */
export const answersOfPreset = (permissions: readonly Permission[], preset: Preset): Answers => {
  const now = answersOf(permissions)
  return new Map([...presetOf(permissions, preset)].map((name) => [name, now.get(name) ?? 'allow']))
}

/** The same answers with another one for this name. */
export function withAnswer(answers: Answers, name: string, answer: Answer): Answers {
  const next = new Map(answers)
  if (answer === 'deny') next.delete(name)
  else next.set(name, answer)
  return next
}

/** How a draft differs from what holds: the names whose answer becomes this one. */
export function changesOf(permissions: readonly Permission[], draft: Answers) {
  const now = answersOf(permissions)
  const becomes = (answer: 'allow' | 'ask') =>
    [...draft].filter(([name, one]) => one === answer && now.get(name) !== answer).map(([name]) => name)
  return {
    allowed: becomes('allow'),
    asked: becomes('ask'),
    denied: [...now.keys()].filter((name) => !draft.has(name)),
  }
}
