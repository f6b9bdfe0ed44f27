import type { ToolbeltItem } from '@agentopia/api'

type Permission = ToolbeltItem['permissions'][number]

/** What is allowed when a whole toolbelt item is set at once. Only what its server calls read-only counts as that. */
export const PRESETS = {
  none: () => false,
  'read-only': ({ readOnly, destructive }) => readOnly === true && destructive !== true,
  all: () => true,
} as const satisfies Record<string, (permission: Pick<Permission, 'readOnly' | 'destructive'>) => boolean>

export type Preset = keyof typeof PRESETS

/** The names that are allowed now. */
export const allowedOf = (permissions: readonly Permission[]): ReadonlySet<string> =>
  new Set(permissions.filter(({ allowed }) => allowed).map(({ capability }) => capability))

/** The names that a preset allows. What is no longer offered is never allowed anew. */
export const presetOf = (permissions: readonly Permission[], preset: Preset): ReadonlySet<string> =>
  new Set(permissions.filter((one) => one.offered && PRESETS[preset](one)).map(({ capability }) => capability))

/** How a draft differs from what holds. */
export function changesOf(permissions: readonly Permission[], draft: ReadonlySet<string>) {
  const now = allowedOf(permissions)
  return {
    allowed: [...draft].filter((name) => !now.has(name)),
    denied: [...now].filter((name) => !draft.has(name)),
  }
}
