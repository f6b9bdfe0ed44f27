import type { Confinement } from '../contract/status.ts'

/**
 * What the engine puts around every container that asks for nothing else, as it says of itself.
 * @param securityOptions Such as `name=seccomp,profile=default`; later engines call that profile `builtin`.
 */
export function confinementOf(securityOptions: readonly string[]): Confinement {
  const options = new Map(
    securityOptions.map((option) => {
      const fields = new Map(option.split(',').map((field) => field.split('=', 2) as [string, string]))
      return [fields.get('name') ?? '', fields] as const
    }),
  )
  const module = (['apparmor', 'selinux'] as const).find((name) => options.has(name)) ?? 'none'
  return { seccomp: seccompOf(options.get('seccomp')), module }
}

function seccompOf(option: ReadonlyMap<string, string> | undefined): Confinement['seccomp'] {
  const profile = option?.get('profile') ?? 'default'
  if (!option || profile === 'unconfined') return 'none'
  return profile === 'default' || profile === 'builtin' ? 'default' : 'other'
}
