import * as z from 'zod/mini'

/** Version of a release of DTMA: three numbers. */
export const Version = z.string().check(z.maxLength(32), z.regex(/^\d+\.\d+\.\d+$/, 'three numbers, as 1.2.3'))

/** Negative: `a` is older than `b`. What is no version is older than every one that is. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)]
  for (const [index, part] of left.entries()) if (part !== right[index]) return part - right[index]!
  return 0
}

const partsOf = (version: string): readonly number[] => {
  const [, ...parts] = /^(\d+)\.(\d+)\.(\d+)/.exec(version) ?? []
  return parts.length === 3 ? parts.map(Number) : [-1, -1, -1]
}
